// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.traffic;

import java.util.Map;

/**
 * What a client saw of one flow of datagrams.
 *
 * @param sent         datagrams sent
 * @param answered     datagrams that came back
 * @param backends     answers by the backend that gave them
 * @param longestGapMs longest time between two answers
 */
public record DatagramsResult(int sent, int answered, Map<String, Integer> backends, double longestGapMs) {}
