// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.access;

import io.github.bucket4j.Bandwidth;
import io.github.bucket4j.Bucket;
import io.github.bucket4j.ConsumptionProbe;
import io.github.bucket4j.TimeMeter;
import java.time.Duration;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/** A token bucket for each credential. Buckets that are full again say nothing and are dropped. */
final class RateLimits {
    private static final long SWEEP_EACH_CALLS = 10_000;

    private final RateLimitProperties limit;
    private final TimeMeter time;
    private final ConcurrentHashMap<String, Bucket> buckets = new ConcurrentHashMap<>();
    private final AtomicLong calls = new AtomicLong();

    RateLimits(RateLimitProperties limit, TimeMeter time) {
        this.limit = limit;
        this.time = time;
    }

    /**
     * @param remaining requests that are left
     * @param retryAfter until there is one, zero while there is
     * @param reset until all are back
     */
    record Verdict(boolean allowed, long remaining, Duration retryAfter, Duration reset) {}

    Verdict call(String credential) {
        if (calls.incrementAndGet() % SWEEP_EACH_CALLS == 0) {
            buckets.values().removeIf(bucket -> bucket.getAvailableTokens() >= limit.requests());
        }
        ConsumptionProbe probe =
                buckets.computeIfAbsent(credential, any -> bucket()).tryConsumeAndReturnRemaining(1);
        return new Verdict(
                probe.isConsumed(),
                probe.getRemainingTokens(),
                Duration.ofNanos(probe.getNanosToWaitForRefill()),
                Duration.ofNanos(probe.getNanosToWaitForReset()));
    }

    private Bucket bucket() {
        return Bucket.builder()
                .addLimit(Bandwidth.builder()
                        .capacity(limit.requests())
                        .refillGreedy(limit.requests(), limit.window())
                        .build())
                .withCustomTimePrecision(time)
                .build();
    }

    String policy() {
        return "\"default\";q=%d;w=%d"
                .formatted(limit.requests(), limit.window().toSeconds());
    }

    static String field(Verdict verdict) {
        return "\"default\";r=%d;t=%d".formatted(verdict.remaining(), seconds(verdict.reset()));
    }

    /** Whole seconds, rounded up: a caller that waits as long is let in. */
    static long seconds(Duration duration) {
        return TimeUnit.NANOSECONDS.toSeconds(duration.plusNanos(999_999_999).toNanos());
    }

    int size() {
        return buckets.size();
    }
}
