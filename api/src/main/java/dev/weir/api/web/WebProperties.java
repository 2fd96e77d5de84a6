// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.web;

import java.time.Duration;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.util.unit.DataSize;

/**
 * @param maxBody largest body of a request
 * @param drain how long the service goes on serving, not ready any more, after it was told to stop
 */
@ConfigurationProperties("weir.web")
public record WebProperties(DataSize maxBody, Duration drain) {}
