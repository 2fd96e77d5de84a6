// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.access;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.api.access.RateLimits.Verdict;
import io.github.bucket4j.TimeMeter;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class RateLimitsTests {
    private long now;
    private final TimeMeter time = new TimeMeter() {
        @Override
        public long currentTimeNanos() {
            return now;
        }

        @Override
        public boolean isWallClockBased() {
            return false;
        }
    };
    private final RateLimits limits = new RateLimits(new RateLimitProperties(10, Duration.ofSeconds(5)), time);

    private Verdict use(String credential, int calls) {
        Verdict last = limits.call(credential);
        for (int i = 1; i < calls; i++) {
            last = limits.call(credential);
        }
        return last;
    }

    @Test
    void asManyAreLetInAsThePolicySays() {
        assertThat(use("alice", 10).allowed()).isTrue();

        Verdict refused = limits.call("alice");

        assertThat(refused.allowed()).isFalse();
        assertThat(refused.remaining()).isZero();
        assertThat(RateLimits.seconds(refused.retryAfter())).isEqualTo(1);
        assertThat(RateLimits.field(refused)).isEqualTo("\"default\";r=0;t=5");
        assertThat(limits.policy()).isEqualTo("\"default\";q=10;w=5");
    }

    @Test
    void whoeverWaitsAsToldIsLetIn() {
        use("alice", 10);
        Verdict refused = limits.call("alice");

        now += Duration.ofSeconds(RateLimits.seconds(refused.retryAfter())).toNanos();

        assertThat(limits.call("alice").allowed()).isTrue();
    }

    @Test
    void oneCredentialTakesNothingFromAnother() {
        use("alice", 11);

        assertThat(limits.call("bob").remaining()).isEqualTo(9);
    }

    @Test
    void bucketsThatAreFullAgainAreForgotten() {
        for (int i = 0; i < 5_000; i++) {
            limits.call("passer-by-" + i);
        }
        now += Duration.ofSeconds(5).toNanos();

        use("alice", 5_001);

        assertThat(limits.size()).isEqualTo(1);
    }
}
