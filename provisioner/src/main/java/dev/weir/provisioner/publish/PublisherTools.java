// SPDX-License-Identifier: Apache-2.0
package dev.weir.provisioner.publish;

import dev.weir.provisioner.kafka.KafkaClients;
import dev.weir.provisioner.kafka.Topics;
import dev.weir.provisioner.lease.LeaseStore;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.function.Supplier;
import org.apache.kafka.clients.producer.Producer;
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
    private final Semaphore starting = new Semaphore(4);
    private final Counter published;
    private final Counter publishFailures;
    private final Timer delay;

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
        this.delay = Timer.builder("weir_provisioner_commit_to_published")
                .publishPercentiles(0.5, 0.99)
                .register(meters);
        this.publishFailures = meters.counter("weir_provisioner_publish_failures_total");
    }

    <T> T inTransaction(Supplier<T> work) {
        T result = transactions.execute(status -> work.get());
        if (result == null) {
            throw new IllegalStateException("a transaction's work must have a result");
        }
        return result;
    }

    /**
     * A producer that has fenced every earlier one of its transactional id. A few at a time: at the start, all partitions
     * ask at once, and their handshakes would hold each other up.
     */
    Producer<String, byte[]> producer(String transactionalId) throws InterruptedException {
        starting.acquire();
        try {
            Producer<String, byte[]> producer = clients.producer(transactionalId);
            boolean started = false;
            try {
                producer.initTransactions();
                started = true;
                return producer;
            } finally {
                if (!started) {
                    producer.close(Duration.ZERO);
                }
            }
        } finally {
            starting.release();
        }
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

    /** From the commit of a generation to its offset in PostgreSQL. */
    Timer delay() {
        return delay;
    }

    Counter publishFailures() {
        return publishFailures;
    }
}
