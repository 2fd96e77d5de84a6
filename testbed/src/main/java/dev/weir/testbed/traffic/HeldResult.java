// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.traffic;

import java.util.Map;

/**
 * What a client saw of connections on which backends stream.
 *
 * @param connections  connections begun
 * @param broken       those that ended, stalled for 5 s or never opened
 * @param errors       broken ones by kind
 * @param backends     connections that ever streamed, by backend
 * @param alive        connections that still stream, by backend
 * @param lines        lines received
 * @param longestGapMs longest time between two lines of a connection
 */
public record HeldResult(
        int connections,
        int broken,
        Map<String, Integer> errors,
        Map<String, Integer> backends,
        Map<String, Integer> alive,
        long lines,
        double longestGapMs) {}
