// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.stream;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import dev.weir.messages.v1.ConfigRecord;
import dev.weir.messages.v1.PopsRecord;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.random.RandomGenerator;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.InvalidOffsetException;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads all partitions of the config and pops topics, committed records only, in no consumer group. Goes on for ever:
 * whatever breaks is opened again after a pause.
 */
public final class KafkaSource implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(KafkaSource.class);
    private static final Duration POLL = Duration.ofMillis(500);
    private static final int ADMIN_TIMEOUT_MS = 5_000;
    private static final long TOPIC_CHECK_MS = 5_000;
    private static final long MIN_PAUSE_MS = 100;
    private static final long MAX_PAUSE_MS = 1_500;

    /** Batches handed over and not taken yet; more would only fill the heap. */
    private static final int MAX_OPEN_BATCHES = 4;

    /** Takes what was read. The futures end when the agent's thread has done it. */
    public interface Sink {
        /** Where to go on; empty: read from the start. */
        Future<Optional<ReadPosition>> resume(String configTopicId, String popsTopicId, boolean fromStart);

        Future<?> take(Batch batch);
    }

    private final KafkaAccess access;
    private final Sink sink;
    private final RandomGenerator random;
    private final Thread thread;
    private volatile boolean closing;
    private boolean fromStart;
    private volatile @Nullable KafkaConsumer<String, byte[]> open;

    public KafkaSource(KafkaAccess access, RandomGenerator random, Sink sink) {
        this.access = access;
        this.random = random;
        this.sink = sink;
        this.thread = Thread.ofPlatform().daemon().name("kafka-source").unstarted(this::run);
    }

    public void start() {
        thread.start();
    }

    @Override
    public void close() throws InterruptedException {
        closing = true;
        KafkaConsumer<String, byte[]> consumer = open;
        if (consumer != null) {
            consumer.wakeup();
        } else {
            thread.interrupt();
        }
        thread.join(ADMIN_TIMEOUT_MS);
    }

    private record Topics(String configId, String popsId, List<TopicPartition> partitions) {}

    private void run() {
        long pauseMs = MIN_PAUSE_MS;
        boolean failing = false;
        while (!closing) {
            try {
                long openedAt = System.nanoTime();
                try {
                    read();
                } catch (WakeupException e) {
                    return;
                } catch (InvalidOffsetException e) {
                    log.atWarn()
                            .addKeyValue("partitions", e.partitions())
                            .log("stored offsets are gone from the topic, reading from the start");
                    fromStart = true;
                } catch (KafkaException | ExecutionException | TimeoutException e) {
                    if (!failing) {
                        log.atWarn().addKeyValue("reason", e.toString()).log("records can't be read, trying on");
                    }
                    failing = true;
                }
                boolean wasOpenLong = System.nanoTime() - openedAt > TimeUnit.SECONDS.toNanos(30);
                failing &= !wasOpenLong;
                pauseMs = wasOpenLong ? MIN_PAUSE_MS : Math.min(MAX_PAUSE_MS, pauseMs * 2);
                Thread.sleep(pauseMs / 2 + random.nextLong(pauseMs / 2 + 1));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
    }

    /** Returns when a topic was replaced by another of its name. */
    private void read() throws ExecutionException, TimeoutException, InterruptedException {
        try (Admin admin = Admin.create(adminSettings())) {
            Topics topics = topics(admin.describeTopics(List.of(KafkaAccess.CONFIG_TOPIC, KafkaAccess.POPS_TOPIC))
                    .allTopicNames()
                    .get(ADMIN_TIMEOUT_MS, TimeUnit.MILLISECONDS));
            try (KafkaConsumer<String, byte[]> consumer =
                    new KafkaConsumer<>(consumerSettings(), new StringDeserializer(), new ByteArrayDeserializer())) {
                open = consumer;
                Optional<ReadPosition> position = sink.resume(topics.configId(), topics.popsId(), fromStart)
                        .get(ADMIN_TIMEOUT_MS, TimeUnit.MILLISECONDS);
                fromStart = false;
                seek(consumer, topics, position);
                log.atInfo()
                        .addKeyValue("topic_id", topics.configId())
                        .addKeyValue("resumed", position.isPresent())
                        .log("reading records");
                poll(consumer, topics, admin);
            } finally {
                open = null;
            }
        }
    }

    private static Topics topics(Map<String, TopicDescription> described) {
        List<TopicPartition> partitions = new ArrayList<>();
        described.forEach((name, topic) -> topic.partitions()
                .forEach(partition -> partitions.add(new TopicPartition(name, partition.partition()))));
        return new Topics(id(described, KafkaAccess.CONFIG_TOPIC), id(described, KafkaAccess.POPS_TOPIC), partitions);
    }

    private static String id(Map<String, TopicDescription> described, String name) {
        TopicDescription topic = described.get(name);
        return topic == null ? "" : topic.topicId().toString();
    }

    private static void seek(KafkaConsumer<String, byte[]> consumer, Topics topics, Optional<ReadPosition> position) {
        consumer.assign(topics.partitions());
        Map<TopicPartition, Long> beginnings =
                consumer.beginningOffsets(topics.partitions(), Duration.ofMillis(ADMIN_TIMEOUT_MS));
        for (TopicPartition partition : topics.partitions()) {
            long beginning = beginnings.getOrDefault(partition, 0L);
            long offset = position.map(known -> isConfig(partition)
                            ? known.configNextOffsets().getOrDefault(partition.partition(), beginning)
                            : Long.valueOf(known.popsNextOffset()))
                    .orElse(beginning);
            consumer.seek(partition, offset);
        }
    }

    private void poll(KafkaConsumer<String, byte[]> consumer, Topics topics, Admin admin)
            throws ExecutionException, InterruptedException, TimeoutException {
        Deque<Future<?>> handedOver = new ArrayDeque<>();
        Map<TopicPartition, Long> told =
                new TreeMap<>(Comparator.comparing(TopicPartition::topic).thenComparing(TopicPartition::partition));
        KafkaFuture<Map<String, TopicDescription>> check = null;
        long nextCheckAt = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(TOPIC_CHECK_MS);
        while (!closing) {
            ConsumerRecords<String, byte[]> records = consumer.poll(POLL);
            boolean moved = !records.isEmpty();
            for (TopicPartition partition : topics.partitions()) {
                long next = consumer.position(partition);
                Long before = told.put(partition, next);
                moved |= before == null || before != next;
            }
            boolean inContact = moved;
            if (check != null && check.isCompletedExceptionally()) {
                // Kafka is away; the consumer finds back by itself.
                check = null;
            }
            if (check != null && check.isDone()) {
                Topics now = topics(check.get());
                if (!now.configId().equals(topics.configId()) || !now.popsId().equals(topics.popsId())) {
                    log.atWarn()
                            .addKeyValue("before", topics.configId())
                            .addKeyValue("now", now.configId())
                            .log("topic was replaced");
                    return;
                }
                check = null;
                inContact = true;
            }
            if (check == null && System.nanoTime() >= nextCheckAt) {
                nextCheckAt = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(TOPIC_CHECK_MS);
                check = admin.describeTopics(List.of(KafkaAccess.CONFIG_TOPIC, KafkaAccess.POPS_TOPIC))
                        .allTopicNames();
            }
            if (inContact) {
                handedOver.add(sink.take(batch(records, told, caughtUp(consumer, topics))));
                if (handedOver.size() > MAX_OPEN_BATCHES) {
                    handedOver.remove().get();
                }
            }
        }
    }

    private static boolean caughtUp(KafkaConsumer<String, byte[]> consumer, Topics topics) {
        return topics.partitions().stream()
                .allMatch(partition -> consumer.currentLag(partition).orElse(1) == 0);
    }

    private static Batch batch(
            ConsumerRecords<String, byte[]> records, Map<TopicPartition, Long> positions, boolean caughtUp) {
        List<Batch.ConfigRead> config = new ArrayList<>();
        List<Batch.PopsRead> pops = new ArrayList<>();
        for (ConsumerRecord<String, byte[]> record : records) {
            if (record.key() == null) {
                continue;
            }
            try {
                if (record.topic().equals(KafkaAccess.CONFIG_TOPIC)) {
                    config.add(new Batch.ConfigRead(
                            record.key(),
                            record.partition(),
                            record.offset(),
                            parse(record.value(), ConfigRecord.parser())));
                } else {
                    pops.add(new Batch.PopsRead(record.key(), parse(record.value(), PopsRecord.parser())));
                }
            } catch (InvalidProtocolBufferException e) {
                log.atError()
                        .addKeyValue("topic", record.topic())
                        .addKeyValue("partition", record.partition())
                        .addKeyValue("offset", record.offset())
                        .addKeyValue("key", record.key())
                        .log("record can't be decoded and is skipped, what ran before stays");
            }
        }
        Map<Integer, Long> configNext = new TreeMap<>();
        long popsNext = 0;
        for (Map.Entry<TopicPartition, Long> entry : positions.entrySet()) {
            if (isConfig(entry.getKey())) {
                configNext.put(entry.getKey().partition(), entry.getValue());
            } else {
                popsNext = entry.getValue();
            }
        }
        return new Batch(config, pops, configNext, popsNext, caughtUp);
    }

    private static <T extends MessageLite> @Nullable T parse(byte @Nullable [] value, Parser<T> parser)
            throws InvalidProtocolBufferException {
        return value == null ? null : parser.parseFrom(value);
    }

    private static boolean isConfig(TopicPartition partition) {
        return partition.topic().equals(KafkaAccess.CONFIG_TOPIC);
    }

    private Map<String, Object> adminSettings() {
        Map<String, Object> settings = access.common();
        settings.put(AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG, ADMIN_TIMEOUT_MS);
        settings.put(AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, ADMIN_TIMEOUT_MS);
        return settings;
    }

    private Map<String, Object> consumerSettings() {
        Map<String, Object> settings = access.common();
        settings.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
        settings.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "none");
        settings.put(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, false);
        settings.put(ConsumerConfig.FETCH_MAX_BYTES_CONFIG, 4 * 1024 * 1024);
        settings.put(ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG, 1024 * 1024);
        settings.put(ConsumerConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, ADMIN_TIMEOUT_MS);
        settings.put(ConsumerConfig.REQUEST_TIMEOUT_MS_CONFIG, ADMIN_TIMEOUT_MS);
        return settings;
    }
}
