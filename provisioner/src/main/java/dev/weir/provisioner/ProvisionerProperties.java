// SPDX-License-Identifier: Apache-2.0
package dev.weir.provisioner;

import java.time.Duration;
import org.springframework.boot.context.properties.ConfigurationProperties;

/**
 * @param instanceName for people; instances are told apart by an id made at start
 * @param kafka PEM files; all three empty: no TLS
 * @param authority issues nodes' certificates
 * @param rollout how staged rollouts are judged
 * @param lease how long a dead instance's partitions stay without work, and how often leases are renewed
 */
@ConfigurationProperties("weir")
public record ProvisionerProperties(
        String instanceName, Kafka kafka, Authority authority, Lease lease, Rollout rollout) {
    public record Kafka(String bootstrap, String ca, String cert, String key) {
        public Kafka {
            if (bootstrap.isBlank()) {
                throw new IllegalArgumentException("weir.kafka.bootstrap must be set (WEIR_KAFKA_BOOTSTRAP)");
            }
        }
    }

    /**
     * @param cert PEM file; empty: nodes get their certificates elsewhere, and their reports are taken unsigned
     * @param key PEM file; empty: this instance does not sign
     * @param life of a node's certificate
     */
    public record Authority(String cert, String key, Duration life) {
        public Authority {
            if (cert.isBlank() && !key.isBlank()) {
                throw new IllegalArgumentException("WEIR_CA_KEY needs WEIR_CA_CERT");
            }
            if (life.compareTo(Duration.ofMinutes(1)) < 0) {
                throw new IllegalArgumentException("weir.authority.life must be at least a minute");
            }
        }

        public boolean known() {
            return !cert.isBlank();
        }

        public boolean signs() {
            return !key.isBlank();
        }
    }

    /**
     * @param bake how long a wave runs the candidate before the next one follows
     * @param applyWithin a wave that some reachable node does not run after this long is stopped
     */
    public record Rollout(Duration bake, Duration applyWithin) {}

    public record Lease(Duration duration, Duration tick) {
        public Lease {
            if (tick.multipliedBy(3).compareTo(duration) > 0) {
                throw new IllegalArgumentException("weir.lease.duration must be at least three ticks");
            }
        }
    }
}
