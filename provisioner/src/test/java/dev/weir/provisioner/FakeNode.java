// SPDX-License-Identifier: Apache-2.0
package dev.weir.provisioner;

import static org.awaitility.Awaitility.await;

import dev.weir.compiler.ResourceId;
import dev.weir.messages.v1.ConfigRecord;
import dev.weir.messages.v1.DrainingKey;
import dev.weir.messages.v1.NodeWatermark;
import dev.weir.messages.v1.PartitionWatermark;
import dev.weir.messages.v1.RejectedKey;
import dev.weir.provisioner.kafka.Topic;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** What a node's agent does with the topics, with a node's own certificate and rights; it applies at once. */
final class FakeNode implements AutoCloseable {
    /** @param seenAt when the node had the record */
    record Seen(String key, int partition, long offset, ConfigRecord record, Instant seenAt) {}

    final UUID id;
    final String name;
    final KafkaProducer<String, byte[]> producer;
    final List<Seen> seen = new CopyOnWriteArrayList<>();

    /** Newest record by key; a tombstone removes it. */
    final Map<String, Seen> state = new ConcurrentHashMap<>();

    final Set<String> tombstones = ConcurrentHashMap.newKeySet();

    private final String popName;
    private final Map<String, Object> settings;
    private final Set<String> refuses = ConcurrentHashMap.newKeySet();
    private final Map<String, Long> draining = new ConcurrentHashMap<>();
    private final Map<String, Long> running = new ConcurrentHashMap<>();
    private final Thread thread;
    private volatile boolean reads = true;
    private volatile boolean pausedReading;
    private volatile boolean ended;

    FakeNode(World world, UUID id, UUID pop) throws IOException {
        this.id = id;
        this.name = ResourceId.NODE.format(id);
        this.popName = ResourceId.POP.format(pop);
        this.settings = new HashMap<>(world.kafka.clientProperties(name));
        settings.put("linger.ms", 0);
        settings.put("enable.idempotence", false);
        settings.put("isolation.level", "read_committed");
        settings.put("enable.auto.commit", false);
        settings.put("fetch.max.wait.ms", 500);
        this.producer = new KafkaProducer<>(settings, new StringSerializer(), new ByteArraySerializer());
        this.thread = Thread.ofPlatform().name("fake-" + name).start(this::run);
    }

    /** From now on, refuses what is published of the load balancer. */
    void refuse(UUID loadBalancer) {
        refuses.add(ResourceId.LOAD_BALANCER.format(loadBalancer));
    }

    /** Flows of the load balancer go on: records from now on do not count as passed. */
    void drain(UUID loadBalancer) {
        draining.put(
                ResourceId.LOAD_BALANCER.format(loadBalancer),
                seenOf(loadBalancer).getLast().offset() + 1);
    }

    void drained(UUID loadBalancer) {
        draining.remove(ResourceId.LOAD_BALANCER.format(loadBalancer));
    }

    /** Goes on saying where it is, but reads no further: also not by a poll that had begun before. */
    void stopReading() {
        reads = false;
        await().atMost(Duration.ofSeconds(10)).until(() -> pausedReading);
    }

    void goOnReading() {
        reads = true;
    }

    private void run() {
        while (!ended) {
            try (KafkaConsumer<String, byte[]> consumer =
                            new KafkaConsumer<>(settings, new StringDeserializer(), new ByteArrayDeserializer());
                    Admin admin = Admin.create(settings)) {
                follow(consumer, admin);
            } catch (AuthorizationException e) {
                // Not let in yet.
                pause();
            } catch (Exception e) {
                if (!ended) {
                    pause();
                }
            }
        }
    }

    private static void pause() {
        try {
            Thread.sleep(100);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void follow(KafkaConsumer<String, byte[]> consumer, Admin admin) throws Exception {
        String topic = Topic.CONFIG.topicName();
        String topicId = Objects.requireNonNull(admin.describeTopics(List.of(topic))
                        .allTopicNames()
                        .get()
                        .get(topic))
                .topicId()
                .toString();
        List<TopicPartition> all = IntStream.range(0, 16)
                .mapToObj(p -> new TopicPartition(topic, p))
                .toList();
        consumer.assign(all);
        consumer.seekToBeginning(all);
        Map<String, RejectedKey> rejected = new HashMap<>();
        long said = 0;
        while (!ended) {
            boolean pauses = !reads;
            if (pauses) {
                consumer.pause(all);
            } else {
                consumer.resume(all);
            }
            pausedReading = pauses;
            boolean news = false;
            for (ConsumerRecord<String, byte[]> record : consumer.poll(Duration.ofMillis(100))) {
                take(record, rejected);
                news = true;
            }
            if (news || System.nanoTime() - said > Duration.ofSeconds(1).toNanos()) {
                say(consumer, all, topicId, rejected);
                said = System.nanoTime();
            }
        }
    }

    private void take(ConsumerRecord<String, byte[]> record, Map<String, RejectedKey> rejected) throws Exception {
        if (record.value() == null) {
            state.remove(record.key());
            tombstones.add(record.key());
            return;
        }
        ConfigRecord config = ConfigRecord.parseFrom(record.value());
        Seen now = new Seen(record.key(), record.partition(), record.offset(), config, Instant.now());
        seen.add(now);
        state.put(record.key(), now);
        if (refuses.contains(record.key())) {
            rejected.put(
                    record.key(),
                    RejectedKey.newBuilder()
                            .setKey(record.key())
                            .setEpoch(config.getEpoch())
                            .setSequence(config.getSequence())
                            .setCode("UNSUPPORTED_FEATURE")
                            .setReason("lacks snat")
                            .setRunningGeneration(running.getOrDefault(record.key(), 0L))
                            .build());
        } else {
            rejected.remove(record.key());
            running.put(record.key(), config.getLoadBalancer().getStable().getGeneration());
        }
    }

    private void say(
            KafkaConsumer<String, byte[]> consumer,
            List<TopicPartition> all,
            String topicId,
            Map<String, RejectedKey> rejected) {
        long now = ChronoUnit.MICROS.between(Instant.EPOCH, Instant.now());
        NodeWatermark.Builder watermark = NodeWatermark.newBuilder()
                .setNodeId(name)
                .setPopId(popName)
                .setSentAtUs(now)
                .setAgentStartId("start")
                .setEngineStartId(-1)
                .setTopicId(topicId)
                .addFeatures("snat")
                .addFeatures("maglev")
                .setAgentVersion("1")
                .setEngineVersion("1")
                .setEngineReady(true)
                .addAllRejected(new HashSet<>(rejected.values()));
        draining.forEach((key, position) -> watermark.addDraining(
                DrainingKey.newBuilder().setKey(key).setPosition(position).setDeadlineUs(now)));
        for (TopicPartition place : all) {
            watermark.addPartitions(PartitionWatermark.newBuilder()
                    .setPartition(place.partition())
                    .setPosition(consumer.position(place))
                    .setEpoch(1)
                    .setAppliedAtUs(now));
        }
        producer.send(new ProducerRecord<>(
                Topic.WATERMARKS.topicName(), name, watermark.build().toByteArray()));
    }

    List<Seen> seenOf(UUID loadBalancer) {
        String key = ResourceId.LOAD_BALANCER.format(loadBalancer);
        return seen.stream().filter(s -> s.key().equals(key)).toList();
    }

    @Override
    public void close() throws InterruptedException {
        ended = true;
        thread.join(Duration.ofSeconds(5));
        producer.close(Duration.ofSeconds(1));
    }
}
