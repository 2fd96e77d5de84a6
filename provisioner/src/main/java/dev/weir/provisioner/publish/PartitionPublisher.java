// SPDX-License-Identifier: Apache-2.0
package dev.weir.provisioner.publish;

import dev.weir.provisioner.Backoff;
import dev.weir.provisioner.lease.Lease;
import dev.weir.provisioner.lease.LeaseLostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.LongConsumer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.InvalidProducerEpochException;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Publishes the keys of one partition, under one lease, by one thread.
 *
 * <p>What is to be sent is written to PostgreSQL first, with its sequence, in a transaction that holds the lease. Then it
 * is sent in a Kafka transaction under the partition's transactional id, which fences any earlier publisher. Then
 * PostgreSQL is told the offsets. After any failure, and at the start, the partition is read back: the log decides what
 * was published. A process can end between any two of these steps.
 */
abstract class PartitionPublisher {
    private static final Logger log = LoggerFactory.getLogger(PartitionPublisher.class);
    private static final int BATCH = 64;

    /** At most ten records per second and key; what changes faster is coalesced. */
    private static final long KEY_INTERVAL_NANOS = Duration.ofMillis(100).toNanos();

    private static final Duration HOUSEKEEPING_EACH = Duration.ofMillis(500);

    /**
     * A record about to be sent.
     *
     * @param value null: a tombstone
     * @param live whether the key lives once the record is committed
     * @param committed told the record's offset after the Kafka transaction was committed, in a transaction
     */
    record Outgoing(
            String key, byte @Nullable [] value, long epoch, long sequence, boolean live, LongConsumer committed) {}

    final Lease lease;

    /** What the log holds; touched by the publisher's thread only. */
    final TreeMap<String, LogEntry> entries = new TreeMap<>();

    private final PublisherTools tools;
    private final FairQueue offered = new FairQueue();
    private final Map<UUID, Long> handledAt = new HashMap<>();
    private final Backoff backoff =
            new Backoff(Duration.ofMillis(50), Duration.ofSeconds(2), ThreadLocalRandom.current());
    private @Nullable Producer<String, byte[]> producer;
    private String topicId = "";
    private long housekeptAt;
    private boolean stopped;
    private volatile boolean ended;

    PartitionPublisher(Lease lease, PublisherTools tools) {
        this.lease = lease;
        this.tools = tools;
    }

    /** Runs inside of a PostgreSQL transaction that holds the lease. */
    abstract List<Outgoing> prepare(List<UUID> keys);

    /** After the records were committed and PostgreSQL knows. */
    abstract void published(List<UUID> keys);

    /** Compares what the log holds with what PostgreSQL believes; runs in a transaction that holds the lease. */
    abstract void reconcile();

    /** Now and then; may publish by {@link #send}. */
    abstract void housekeep();

    /** A key whose project is not known. */
    final void offer(UUID key) {
        offer(new FairQueue.Entry(key, null));
    }

    synchronized void offer(FairQueue.Entry entry) {
        if (offered.offer(entry)) {
            notifyAll();
        }
    }

    synchronized void stop() {
        stopped = true;
        notifyAll();
    }

    boolean ended() {
        return ended;
    }

    String topicId() {
        return topicId;
    }

    void run() {
        try {
            while (!isStopped()) {
                turn();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            closeProducer();
            ended = true;
        }
    }

    private synchronized boolean isStopped() {
        return stopped;
    }

    private void turn() throws InterruptedException {
        List<FairQueue.Entry> due = List.of();
        try {
            if (!lease.valid()) {
                Thread.sleep(Duration.ofMillis(50));
                return;
            }
            if (producer == null) {
                recover();
            }
            due = takeDue();
            if (!due.isEmpty() && lease.valid()) {
                List<UUID> taken = due.stream().map(FairQueue.Entry::key).toList();
                send(() -> prepare(taken));
                published(taken);
            }
            if (System.nanoTime() - housekeptAt > HOUSEKEEPING_EACH.toNanos()) {
                if (!tools.topics().id(lease.topic()).equals(topicId)) {
                    throw new IllegalStateException("the topic was made anew");
                }
                housekeep();
                housekeptAt = System.nanoTime();
            }
            backoff.reset();
        } catch (LeaseLostException | ProducerFencedException | InvalidProducerEpochException e) {
            // The keeper ends this publisher if the partition is another's now; else it starts over.
            log.atWarn()
                    .addKeyValue("lease", lease)
                    .addKeyValue("cause", e.toString())
                    .log("publisher was fenced");
            closeProducer();
            Thread.sleep(backoff.next());
        } catch (RuntimeException e) {
            closeProducer();
            failed(due, e);
        }
    }

    private void failed(List<FairQueue.Entry> keys, RuntimeException e) throws InterruptedException {
        Duration wait = backoff.next();
        log.atWarn()
                .addKeyValue("lease", lease)
                .addKeyValue("keys", keys.size())
                .addKeyValue("cause", e.toString())
                .addKeyValue("retry_in_ms", wait.toMillis())
                .log("publishing failed");
        log.atDebug().setCause(e).log("publishing failed");
        tools.publishFailures().increment();
        Thread.sleep(wait);
        // Of several keys, one may be at fault; alone, it is, and must not hold up the others.
        if (keys.size() == 1) {
            handledAt.put(keys.getFirst().key(), System.nanoTime() + wait.toNanos());
        }
        keys.forEach(this::offer);
    }

    private synchronized List<FairQueue.Entry> takeDue() throws InterruptedException {
        long now = System.nanoTime();
        List<FairQueue.Entry> due = due(now);
        if (due.isEmpty() && !stopped) {
            wait(offered.isEmpty() ? 250 : 10);
            due = due(System.nanoTime());
        }
        handledAt.values().removeIf(at -> now - at > 100 * KEY_INTERVAL_NANOS);
        return due;
    }

    private List<FairQueue.Entry> due(long now) {
        List<FairQueue.Entry> due = offered.take(BATCH, key -> {
            Long at = handledAt.get(key);
            return at == null || now - at >= KEY_INTERVAL_NANOS;
        });
        due.forEach(entry -> handledAt.put(entry.key(), now));
        return due;
    }

    /** What to send is decided by {@code prepare}, in a transaction that holds the lease. */
    final void send(java.util.function.Supplier<List<Outgoing>> prepare) {
        Producer<String, byte[]> current = producer;
        if (current == null) {
            throw new IllegalStateException("publisher has no producer");
        }
        List<Outgoing> outgoing = tools.inTransaction(() -> {
            tools.leases().hold(lease);
            return prepare.get();
        });
        if (outgoing.isEmpty()) {
            return;
        }
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        current.beginTransaction();
        for (Outgoing record : outgoing) {
            sent.add(current.send(
                    new ProducerRecord<>(lease.topic().topicName(), lease.partition(), record.key(), record.value())));
        }
        current.commitTransaction();
        List<Long> offsets = sent.stream().map(PartitionPublisher::offset).toList();
        tools.inTransaction(() -> {
            for (int i = 0; i < outgoing.size(); i++) {
                outgoing.get(i).committed().accept(offsets.get(i));
            }
            return offsets;
        });
        for (int i = 0; i < outgoing.size(); i++) {
            Outgoing record = outgoing.get(i);
            if (record.value() == null) {
                entries.remove(record.key());
            } else {
                entries.put(
                        record.key(), new LogEntry(record.epoch(), record.sequence(), offsets.get(i), record.live()));
            }
        }
        tools.published().increment(outgoing.size());
    }

    private static long offset(Future<RecordMetadata> sent) {
        try {
            // Done: the transaction was committed.
            return sent.get().offset();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new KafkaException("interrupted", e);
        } catch (ExecutionException e) {
            throw new KafkaException("record was not sent", e);
        }
    }

    private void recover() throws InterruptedException {
        topicId = tools.topics().id(lease.topic());
        // From here on, whatever an earlier publisher had not committed never will be.
        Producer<String, byte[]> made = tools.producer("weir-" + lease);
        try {
            entries.clear();
            entries.putAll(tools.logReader().read(lease.topic(), lease.partition()));
            tools.inTransaction(() -> {
                tools.leases().hold(lease);
                reconcile();
                return true;
            });
            producer = made;
        } finally {
            if (producer == null) {
                made.close(Duration.ZERO);
            }
        }
        log.atInfo()
                .addKeyValue("lease", lease)
                .addKeyValue("keys", entries.size())
                .log("partition read back");
    }

    private void closeProducer() {
        Producer<String, byte[]> current = producer;
        producer = null;
        if (current != null) {
            current.close(Duration.ZERO);
        }
    }
}
