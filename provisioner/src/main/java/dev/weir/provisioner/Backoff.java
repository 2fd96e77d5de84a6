// SPDX-License-Identifier: Apache-2.0
package dev.weir.provisioner;

import java.time.Duration;
import java.util.random.RandomGenerator;

/** Waits between tries: doubling up to a bound, each with a jitter of one half. For one thread. */
public final class Backoff {
    private final Duration first;
    private final Duration longest;
    private final RandomGenerator random;
    private Duration next;

    public Backoff(Duration first, Duration longest, RandomGenerator random) {
        this.first = first;
        this.longest = longest;
        this.random = random;
        this.next = first;
    }

    public Duration next() {
        Duration wait = Duration.ofNanos((long) (next.toNanos() * (0.5 + random.nextDouble() / 2)));
        Duration doubled = next.multipliedBy(2);
        next = doubled.compareTo(longest) > 0 ? longest : doubled;
        return wait;
    }

    public void reset() {
        next = first;
    }
}
