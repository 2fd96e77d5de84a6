// SPDX-License-Identifier: Apache-2.0
package dev.weir.bench.api;

import java.time.Duration;
import java.util.Arrays;

/**
 * What a run of equal calls showed.
 *
 * @param sortedNs latency of each call, ascending
 */
record Latencies(long[] sortedNs, Duration took) {
    static Latencies of(long[] ns, Duration took) {
        long[] sorted = ns.clone();
        Arrays.sort(sorted);
        return new Latencies(sorted, took);
    }

    /** The latency that this share of the calls did not exceed, in milliseconds. */
    double ms(double share) {
        int index = (int) Math.ceil(share * sortedNs.length) - 1;
        return sortedNs[Math.clamp(index, 0, sortedNs.length - 1)] / 1e6;
    }

    double perSecond() {
        return sortedNs.length / (took.toNanos() / 1e9);
    }
}
