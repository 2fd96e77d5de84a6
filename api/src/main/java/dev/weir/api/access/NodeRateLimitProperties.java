// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.access;

import java.time.Duration;
import org.springframework.boot.context.properties.ConfigurationProperties;

/**
 * How often nodes of one address may ask one instance for certificates: often enough for the many nodes behind one
 * translated address, and too seldom to try tokens.
 *
 * @param requests that they may make at once; as many come back in {@code window}, evenly
 */
@ConfigurationProperties("weir.node-rate-limit")
record NodeRateLimitProperties(long requests, Duration window) {
    RateLimitProperties each() {
        return new RateLimitProperties(requests, window);
    }
}
