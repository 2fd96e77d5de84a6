// SPDX-License-Identifier: Apache-2.0
package dev.weir.sdk;

import java.time.Duration;

/**
 * How long a call is repeated.
 *
 * @param attempts calls made at most, the first among them; 1 means none is repeated
 * @param firstPause before the second attempt where the service names no pause; doubles with each one and is spread by
 *     chance between its half and its whole
 * @param longestPause between two attempts; where the service asks for a longer one by {@code Retry-After}, its answer
 *     is handed on instead
 */
public record RetryPolicy(int attempts, Duration firstPause, Duration longestPause) {
    /** Eight attempts within half a minute or so. */
    public static final RetryPolicy DEFAULT = new RetryPolicy(8, Duration.ofMillis(250), Duration.ofSeconds(10));

    /** Each call is made once. */
    public static final RetryPolicy NEVER = new RetryPolicy(1, Duration.ofMillis(1), Duration.ofMillis(1));

    public RetryPolicy {
        if (attempts < 1) {
            throw new IllegalArgumentException("attempts must be at least 1, not " + attempts);
        }
        if (firstPause.isNegative() || firstPause.compareTo(longestPause) > 0) {
            throw new IllegalArgumentException("firstPause must be between nothing and longestPause");
        }
    }
}
