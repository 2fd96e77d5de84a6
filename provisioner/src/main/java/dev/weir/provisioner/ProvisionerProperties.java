// SPDX-License-Identifier: Apache-2.0
package dev.weir.provisioner;

import java.time.Duration;
import org.springframework.boot.context.properties.ConfigurationProperties;

/**
 * @param instanceName for people; instances are told apart by an id made at start
 * @param kafka PEM files; all three empty: no TLS
 * @param rollout how staged rollouts are judged
 * @param lease how long a dead instance's partitions stay without work, and how often leases are renewed
 */
@ConfigurationProperties("weir")
public record ProvisionerProperties(String instanceName, Kafka kafka, Lease lease, Rollout rollout) {
    public record Kafka(String bootstrap, String ca, String cert, String key) {
        public Kafka {
            if (bootstrap.isBlank()) {
                throw new IllegalArgumentException("weir.kafka.bootstrap must be set (WEIR_KAFKA_BOOTSTRAP)");
            }
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
