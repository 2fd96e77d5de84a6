// SPDX-License-Identifier: Apache-2.0
package dev.weir.provisioner;

import java.time.Clock;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;

/** Turns what was committed in PostgreSQL into records, and what nodes report into rows. */
@SpringBootApplication(proxyBeanMethods = false)
@EnableConfigurationProperties(ProvisionerProperties.class)
public class ProvisionerApplication {
    public static void main(String[] args) {
        SpringApplication.run(ProvisionerApplication.class, args);
    }

    @Bean
    Clock clock() {
        return Clock.systemUTC();
    }
}
