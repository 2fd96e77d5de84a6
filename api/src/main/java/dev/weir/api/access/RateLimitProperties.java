// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.access;

import java.time.Duration;
import org.springframework.boot.context.properties.ConfigurationProperties;

/**
 * How often one credential may call one instance.
 *
 * @param requests that it may make at once; as many come back in {@code window}, evenly
 */
@ConfigurationProperties("weir.rate-limit")
record RateLimitProperties(long requests, Duration window) {
    RateLimitProperties {
        if (requests < 1 || window.toSeconds() < 1) {
            throw new IllegalArgumentException("weir.rate-limit needs at least 1 request in 1 s");
        }
    }
}
