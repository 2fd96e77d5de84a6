// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.health;

import java.time.Duration;

/**
 * How much probes alone may take out of service, and how fast what was taken out returns.
 *
 * @param removalPercent  of a load balancer's probed members, how many may be removed within {@code removalWindow}; at
 *                        least one always may; 100: no limit
 * @param flapRemovals    the removal from which on a member is held down; 0: none is
 * @param flapHold        how long the first time; twice as long each further time
 * @param flapHoldMax     but never longer
 * @param flapCalm        a member that was healthy for this long is not held against its past
 */
public record HealthLimits(
        int removalPercent,
        Duration removalWindow,
        int flapRemovals,
        Duration flapHold,
        Duration flapHoldMax,
        Duration flapCalm) {

    public HealthLimits {
        if (removalPercent < 0 || flapRemovals < 0) {
            throw new IllegalArgumentException("limits of health must not be negative");
        }
    }

    public static HealthLimits defaults() {
        return new HealthLimits(
                50, Duration.ofSeconds(10), 3, Duration.ofSeconds(10), Duration.ofMinutes(5), Duration.ofMinutes(10));
    }
}
