// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.traffic;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a client saw of its own requests, each on a connection of its own.
 *
 * @param requests    requests begun
 * @param ok          complete answers with status 200
 * @param connected   connections that were established
 * @param synRepeats  SYNs that were sent again; at most that many where a connection was never established
 * @param failed      requests without a complete answer
 * @param errors      failures by kind
 * @param backends    complete answers by the backend that gave them
 * @param firstByteMs time from before the connection to the answer's first byte; null without an answer
 */
public record HttpResult(
        int requests,
        int ok,
        int connected,
        int synRepeats,
        int failed,
        Map<String, Integer> errors,
        Map<String, Integer> backends,
        @Nullable Spread firstByteMs) {

    /** Of measured values; the unit is the field's. */
    public record Spread(double p50, double p99, double max) {}
}
