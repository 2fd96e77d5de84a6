// SPDX-License-Identifier: Apache-2.0
package dev.weir.api;

import java.time.Duration;
import org.springframework.boot.context.properties.ConfigurationProperties;

/**
 * @param apiPassword of the role {@code weir_api}
 * @param operatorPassword of the role {@code weir_operator}
 * @param poolSize most connections as {@code weir_api}; operators get a quarter of it
 * @param connectionTimeout how long a call waits for a connection
 */
@ConfigurationProperties("weir.database")
record DatabaseProperties(
        String url, String apiPassword, String operatorPassword, int poolSize, Duration connectionTimeout) {}
