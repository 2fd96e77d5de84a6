// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.health;

import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** Holds down a member that is removed again and again: each time longer, up to a bound. */
final class FlapDamping {
    private final HealthLimits limits;
    private int removals;
    // In Unix time, as it outlives the agent.
    private long heldUntilUs;

    FlapDamping(HealthLimits limits) {
        this.limits = limits;
    }

    /** @param healthyForUs how long the member was healthy before */
    void removed(long nowUs, long healthyForUs) {
        boolean calm = healthyForUs >= micros(limits.flapCalm());
        removals = calm ? 1 : removals + 1;
        if (limits.flapRemovals() > 0 && removals >= limits.flapRemovals()) {
            // Past 2^30 any hold has met its bound.
            int doublings = Math.min(30, removals - limits.flapRemovals());
            long hold = Math.min(micros(limits.flapHoldMax()), micros(limits.flapHold()) << doublings);
            heldUntilUs = nowUs + hold;
        }
    }

    boolean holds(long nowUs) {
        return nowUs < heldUntilUs;
    }

    int removals() {
        return removals;
    }

    long heldUntilUs() {
        return heldUntilUs;
    }

    /** A clock that was set back must not hold a member for longer than the bound. */
    void restore(int storedRemovals, long storedHeldUntilUs, long nowUs) {
        removals = storedRemovals;
        heldUntilUs = Math.min(storedHeldUntilUs, nowUs + micros(limits.flapHoldMax()));
    }

    private static long micros(Duration duration) {
        return TimeUnit.MILLISECONDS.toMicros(duration.toMillis());
    }
}
