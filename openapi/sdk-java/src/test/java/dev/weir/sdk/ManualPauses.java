// SPDX-License-Identifier: Apache-2.0
package dev.weir.sdk;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Pauses that take no time, and move the clock all the same. */
final class ManualPauses implements Pauses {
    private final List<Duration> made = new ArrayList<>();
    private long now;

    @Override
    public synchronized void pause(Duration time) {
        made.add(time);
        now += time.toNanos();
    }

    @Override
    public synchronized long nanoTime() {
        return now;
    }

    synchronized List<Duration> made() {
        return List.copyOf(made);
    }
}
