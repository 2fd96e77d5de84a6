// SPDX-License-Identifier: Apache-2.0
package dev.weir.provisioner.publish;

import dev.weir.provisioner.kafka.KafkaClients;
import dev.weir.provisioner.kafka.Topics;
import dev.weir.provisioner.lease.LeaseStore;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.function.Supplier;
import org.springframework.stereotype.Component;
import org.springframework.transaction.support.TransactionTemplate;

/** What every publisher needs. */
@Component
final class PublisherTools {
    private final KafkaClients clients;
    private final Topics topics;
    private final LogReader logReader;
    private final LeaseStore leases;
    private final TransactionTemplate transactions;
    private final Counter published;
    private final Counter publishFailures;

    PublisherTools(
            KafkaClients clients,
            Topics topics,
            LogReader logReader,
            LeaseStore leases,
            TransactionTemplate transactions,
            MeterRegistry meters) {
        this.clients = clients;
        this.topics = topics;
        this.logReader = logReader;
        this.leases = leases;
        this.transactions = transactions;
        this.published = meters.counter("weir_provisioner_records_published_total");
        this.publishFailures = meters.counter("weir_provisioner_publish_failures_total");
    }

    <T> T inTransaction(Supplier<T> work) {
        T result = transactions.execute(status -> work.get());
        if (result == null) {
            throw new IllegalStateException("a transaction's work must have a result");
        }
        return result;
    }

    KafkaClients clients() {
        return clients;
    }

    Topics topics() {
        return topics;
    }

    LogReader logReader() {
        return logReader;
    }

    LeaseStore leases() {
        return leases;
    }

    Counter published() {
        return published;
    }

    Counter publishFailures() {
        return publishFailures;
    }
}
