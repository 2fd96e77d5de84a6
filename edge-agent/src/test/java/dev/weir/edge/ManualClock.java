// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge;

import java.time.Duration;

/** Time that stands still until a test moves it. */
public final class ManualClock implements AgentTime {
    private long unixMicros = 1_800_000_000_000_000L;
    private long monotonicMillis = 10_000_000;

    @Override
    public long unixMicros() {
        return unixMicros;
    }

    @Override
    public long monotonicMillis() {
        return monotonicMillis;
    }

    public void advance(Duration by) {
        unixMicros += by.toNanos() / 1_000;
        monotonicMillis += by.toMillis();
    }
}
