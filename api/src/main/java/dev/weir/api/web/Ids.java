// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.web;

import dev.weir.compiler.ResourceId;
import java.time.Clock;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import java.util.random.RandomGenerator;

/** Makes and reads ids: UUIDs of version 7, so that ids sort by the time of their creation. */
public final class Ids {
    private static final int COUNTER_BITS = 12;

    private final Clock clock;
    private final RandomGenerator random;
    // Milliseconds, then a counter within them.
    private final AtomicLong last = new AtomicLong();

    public Ids(Clock clock, RandomGenerator random) {
        this.clock = clock;
        this.random = random;
    }

    /** Later ones sort after earlier ones, also within a millisecond. */
    public UUID next() {
        long floor = clock.millis() << COUNTER_BITS;
        long time = last.updateAndGet(before -> Math.max(floor, before + 1));
        long high = time >>> COUNTER_BITS << 16 | 0x7000L | time & 0xfff;
        long low = random.nextLong() & 0x3fff_ffff_ffff_ffffL | 0x8000_0000_0000_0000L;
        return new UUID(high, low);
    }

    /**
     * Reads an id of the path.
     *
     * @throws ProblemException (404) if it cannot be one: no such resource
     */
    public static UUID path(ResourceId kind, String text) {
        if (!kind.matches(text)) {
            throw ProblemException.notFound();
        }
        return kind.parse(text);
    }
}
