// SPDX-License-Identifier: Apache-2.0
package dev.weir.bench.api;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class LatenciesTests {
    @Test
    void percentilesAreLatenciesThatOccurred() {
        long[] ns =
                LongStream.rangeClosed(1, 100).map(ms -> (101 - ms) * 1_000_000).toArray();

        Latencies latencies = Latencies.of(ns, Duration.ofSeconds(2));

        assertThat(latencies.ms(0.5)).isEqualTo(50);
        assertThat(latencies.ms(0.99)).isEqualTo(99);
        assertThat(latencies.perSecond()).isEqualTo(50);
    }

    @Test
    void anOpenLoopMakesAsManyCallsAsAreDueHoweverSlowTheyAre() throws InterruptedException {
        AtomicInteger calls = new AtomicInteger();

        Latencies latencies = Load.open(100, Duration.ofMillis(500), () -> {
            calls.incrementAndGet();
            Thread.sleep(100);
        });

        assertThat(calls).hasValue(50);
        assertThat(latencies.ms(0)).isGreaterThanOrEqualTo(100);
    }
}
