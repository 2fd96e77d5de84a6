// SPDX-License-Identifier: Apache-2.0
package dev.weir.provisioner.follow;

import dev.weir.provisioner.Backoff;
import dev.weir.provisioner.kafka.KafkaClients;
import dev.weir.provisioner.kafka.Topic;
import dev.weir.provisioner.kafka.Topics;
import dev.weir.provisioner.lease.Lease;
import dev.weir.provisioner.lease.LeaseLostException;
import dev.weir.provisioner.lease.LeaseStore;
import dev.weir.provisioner.lease.LeaseWorker;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;
import org.springframework.transaction.support.TransactionTemplate;

/** Reads the partitions of one topic that this instance holds, by one consumer and one thread. */
final class TopicFollower implements LeaseWorker, SmartLifecycle {
    private static final Logger log = LoggerFactory.getLogger(TopicFollower.class);
    private static final Duration POLL = Duration.ofMillis(500);
    private static final Duration CHECK_TOPIC_EACH = Duration.ofSeconds(5);

    private final ReportHandler handler;
    private final KafkaClients clients;
    private final Topics topics;
    private final LeaseStore leases;
    private final OffsetStore offsets;
    private final ReportSignatures signatures;
    private final TransactionTemplate transactions;

    /** Guarded by this: what the keeper wants, and what the thread works on. */
    private final Map<Integer, Lease> wanted = new HashMap<>();

    private final Map<Integer, Lease> working = new HashMap<>();
    private @Nullable Consumer<String, byte[]> consumer;
    private boolean stale;
    private String topicId = "";
    private volatile boolean running;
    private @Nullable Thread thread;

    TopicFollower(
            ReportHandler handler,
            KafkaClients clients,
            Topics topics,
            LeaseStore leases,
            OffsetStore offsets,
            ReportSignatures signatures,
            TransactionTemplate transactions) {
        this.handler = handler;
        this.clients = clients;
        this.topics = topics;
        this.leases = leases;
        this.offsets = offsets;
        this.signatures = signatures;
        this.transactions = transactions;
    }

    @Override
    public Topic topic() {
        return handler.topic();
    }

    @Override
    public synchronized void acquired(Lease lease) {
        wanted.put(lease.partition(), lease);
        wakeUp();
    }

    @Override
    public synchronized void released(Lease lease) {
        wanted.remove(lease.partition(), lease);
        wakeUp();
    }

    @Override
    public synchronized boolean idle(Lease lease) {
        return working.get(lease.partition()) != lease;
    }

    private void wakeUp() {
        stale = true;
        notifyAll();
        if (consumer != null) {
            consumer.wakeup();
        }
    }

    @Override
    public void start() {
        running = true;
        thread = Thread.ofPlatform().name("follow-" + topic().topicName()).start(this::run);
    }

    private void run() {
        Backoff backoff = new Backoff(Duration.ofMillis(50), Duration.ofSeconds(2), ThreadLocalRandom.current());
        while (running) {
            try (Consumer<String, byte[]> made = clients.consumer()) {
                synchronized (this) {
                    consumer = made;
                    stale = true;
                }
                follow(made, backoff);
            } catch (WakeupException e) {
                // Asked to look again, or to end.
            } catch (LeaseLostException e) {
                log.atWarn().addKeyValue("cause", e.getMessage()).log("follower was fenced");
                pause(backoff);
            } catch (RuntimeException e) {
                log.atWarn()
                        .addKeyValue("topic", topic().topicName())
                        .addKeyValue("cause", e.toString())
                        .log("following failed");
                log.atDebug().setCause(e).log("following failed");
                pause(backoff);
            } finally {
                synchronized (this) {
                    consumer = null;
                    working.clear();
                }
            }
        }
    }

    private void pause(Backoff backoff) {
        try {
            Thread.sleep(backoff.next());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            running = false;
        }
    }

    private void follow(Consumer<String, byte[]> from, Backoff backoff) {
        long checkedAt = System.nanoTime();
        topicId = topics.id(topic());
        while (running) {
            assign(from);
            if (from.assignment().isEmpty()) {
                waitForWork();
                continue;
            }
            ConsumerRecords<String, byte[]> records;
            try {
                records = from.poll(POLL);
            } catch (WakeupException e) {
                continue;
            }
            for (TopicPartition place : records.partitions()) {
                handle(place.partition(), records.records(place));
            }
            for (TopicPartition place : from.assignment()) {
                handler.tick(place.partition());
            }
            if (System.nanoTime() - checkedAt > CHECK_TOPIC_EACH.toNanos()) {
                checkedAt = System.nanoTime();
                if (!topics.id(topic()).equals(topicId)) {
                    throw new IllegalStateException("the topic was made anew");
                }
            }
            backoff.reset();
        }
    }

    private synchronized void waitForWork() {
        try {
            if (!stale && running) {
                wait(1000);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            running = false;
        }
    }

    private void assign(Consumer<String, byte[]> to) {
        Map<Integer, Lease> before;
        Map<Integer, Lease> now;
        synchronized (this) {
            if (!stale) {
                return;
            }
            stale = false;
            before = Map.copyOf(working);
            now = Map.copyOf(wanted);
            working.clear();
            working.putAll(now);
        }
        to.assign(now.keySet().stream()
                .map(partition -> new TopicPartition(topic().topicName(), partition))
                .toList());
        now.forEach((partition, lease) -> {
            if (before.get(partition) != lease) {
                to.seek(new TopicPartition(topic().topicName(), partition), offsets.next(lease, topicId));
            }
        });
    }

    private void handle(int partition, List<ConsumerRecord<String, byte[]>> records) {
        Lease lease;
        synchronized (this) {
            lease = working.get(partition);
        }
        if (lease == null || records.isEmpty()) {
            return;
        }
        List<ConsumerRecord<String, byte[]>> present = records.stream()
                .filter(record -> record.value() != null)
                .filter(signatures::accepts)
                .toList();
        Runnable afterwards = transactions.execute(status -> {
            // A crash of PostgreSQL takes rows and offset back together, and the records are read again.
            offsets.commitLazily();
            leases.hold(lease);
            Runnable result = handler.handle(present);
            offsets.save(lease, topicId, records.getLast().offset() + 1);
            return result;
        });
        if (afterwards != null) {
            afterwards.run();
        }
    }

    @Override
    public void stop() {
        running = false;
        synchronized (this) {
            wakeUp();
        }
        Thread current = thread;
        if (current != null) {
            try {
                current.join(Duration.ofSeconds(3));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    @Override
    public boolean isRunning() {
        return running;
    }
}
