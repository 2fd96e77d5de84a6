// SPDX-License-Identifier: Apache-2.0
package dev.weir.provisioner.follow;

import dev.weir.provisioner.health.HealthReports;
import dev.weir.provisioner.kafka.KafkaClients;
import dev.weir.provisioner.kafka.Topics;
import dev.weir.provisioner.lease.LeaseStore;
import dev.weir.provisioner.rollout.Watermarks;
import dev.weir.provisioner.rollup.MetricsReports;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.transaction.support.TransactionTemplate;

/** One follower for each topic that nodes report in. */
@Configuration(proxyBeanMethods = false)
class Followers {
    @Bean
    TopicFollower watermarkFollower(
            Watermarks handler,
            KafkaClients clients,
            Topics topics,
            LeaseStore leases,
            OffsetStore offsets,
            ReportSignatures signatures,
            TransactionTemplate transactions) {
        return new TopicFollower(handler, clients, topics, leases, offsets, signatures, transactions);
    }

    @Bean
    TopicFollower healthFollower(
            HealthReports handler,
            KafkaClients clients,
            Topics topics,
            LeaseStore leases,
            OffsetStore offsets,
            ReportSignatures signatures,
            TransactionTemplate transactions) {
        return new TopicFollower(handler, clients, topics, leases, offsets, signatures, transactions);
    }

    @Bean
    TopicFollower metricsFollower(
            MetricsReports handler,
            KafkaClients clients,
            Topics topics,
            LeaseStore leases,
            OffsetStore offsets,
            ReportSignatures signatures,
            TransactionTemplate transactions) {
        return new TopicFollower(handler, clients, topics, leases, offsets, signatures, transactions);
    }
}
