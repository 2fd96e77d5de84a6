// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.web;

import java.security.SecureRandom;
import java.time.Clock;
import org.openapitools.jackson.nullable.JsonNullableJackson3Module;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.scheduling.annotation.EnableScheduling;
import tools.jackson.databind.JacksonModule;

@Configuration(proxyBeanMethods = false)
@EnableScheduling
@EnableConfigurationProperties(WebProperties.class)
class WebConfiguration {
    @Bean
    Clock clock() {
        return Clock.systemUTC();
    }

    @Bean
    Ids ids(Clock clock) {
        return new Ids(clock, new SecureRandom());
    }

    @Bean
    JacksonModule jsonNullable() {
        return new JsonNullableJackson3Module();
    }

    @Bean
    ContractSchemas contractSchemas() {
        return new ContractSchemas();
    }
}
