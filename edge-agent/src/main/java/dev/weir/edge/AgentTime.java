// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge;

import java.time.Instant;
import java.util.concurrent.TimeUnit;

/** The two clocks of the agent: one for people and absolute ends, one that never jumps for intervals. */
public interface AgentTime {
    /** Unix time in microseconds. */
    long unixMicros();

    /** Milliseconds since an arbitrary start; only differences mean something. */
    long monotonicMillis();

    static AgentTime system() {
        return new AgentTime() {
            @Override
            public long unixMicros() {
                Instant now = Instant.now();
                return TimeUnit.SECONDS.toMicros(now.getEpochSecond()) + now.getNano() / 1_000;
            }

            @Override
            public long monotonicMillis() {
                return System.nanoTime() / 1_000_000;
            }
        };
    }
}
