// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge;

import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import dev.weir.edge.stream.KafkaAccess;
import dev.weir.testbed.servers.KafkaServer;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.function.Predicate;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** The provisioner's end of the topics: creates them, publishes in transactions, reads reports. */
final class Centre implements AutoCloseable {
    private static final List<String> REPORTS = List.of(
            KafkaAccess.WATERMARKS_TOPIC, KafkaAccess.HEALTH_TOPIC, KafkaAccess.METRICS_TOPIC, KafkaAccess.FLOWS_TOPIC);

    private final Map<String, Object> settings;
    private final Admin admin;
    private final KafkaProducer<String, byte[]> producer;
    private final KafkaConsumer<String, byte[]> reports;

    Centre(KafkaServer kafka) throws IOException, ExecutionException, InterruptedException {
        settings = kafka.clientProperties("provisioner");
        admin = Admin.create(settings);
        createTopics();
        Map<String, Object> producing = new HashMap<>(settings);
        producing.put("transactional.id", "centre");
        producing.put("linger.ms", 0);
        producer = new KafkaProducer<>(producing, new StringSerializer(), new ByteArraySerializer());
        producer.initTransactions();
        reports = new KafkaConsumer<>(settings, new StringDeserializer(), new ByteArrayDeserializer());
        List<TopicPartition> partitions =
                REPORTS.stream().map(topic -> new TopicPartition(topic, 0)).toList();
        reports.assign(partitions);
        // What tests before this one left is none of its business.
        reports.seekToEnd(partitions);
        partitions.forEach(reports::position);
    }

    private void createTopics() throws ExecutionException, InterruptedException {
        List<NewTopic> topics = new ArrayList<>();
        topics.add(new NewTopic(KafkaAccess.CONFIG_TOPIC, 16, (short) 1).configs(Map.of("cleanup.policy", "compact")));
        topics.add(new NewTopic(KafkaAccess.POPS_TOPIC, 1, (short) 1).configs(Map.of("cleanup.policy", "compact")));
        REPORTS.forEach(topic -> topics.add(new NewTopic(topic, 1, (short) 1)));
        for (KafkaFuture<Void> created : admin.createTopics(topics).values().values()) {
            try {
                created.get();
            } catch (ExecutionException e) {
                if (!(e.getCause() instanceof TopicExistsException)) {
                    throw e;
                }
            }
        }
    }

    /** Replaces the topics that agents read by empty ones of the same names. */
    void wipe() throws ExecutionException, InterruptedException {
        List<String> read = List.of(KafkaAccess.CONFIG_TOPIC, KafkaAccess.POPS_TOPIC);
        admin.deleteTopics(read).all().get();
        long deadline = System.nanoTime() + Duration.ofSeconds(30).toNanos();
        while (!Collections.disjoint(admin.listTopics().names().get(), read)) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError("the topics are still there");
            }
        }
        createTopics();
    }

    void allow(String nodeId) throws ExecutionException, InterruptedException {
        List<AclBinding> acls = new ArrayList<>();
        acls.add(acl(nodeId, KafkaAccess.CONFIG_TOPIC, AclOperation.READ));
        acls.add(acl(nodeId, KafkaAccess.POPS_TOPIC, AclOperation.READ));
        REPORTS.forEach(topic -> acls.add(acl(nodeId, topic, AclOperation.WRITE)));
        admin.createAcls(acls).all().get();
    }

    private static AclBinding acl(String nodeId, String topic, AclOperation operation) {
        return new AclBinding(
                new ResourcePattern(ResourceType.TOPIC, topic, PatternType.LITERAL),
                new AccessControlEntry("User:" + nodeId, "*", operation, AclPermissionType.ALLOW));
    }

    /** Returns the record's partition and offset. */
    RecordMetadata publish(String topic, String key, MessageLite value)
            throws ExecutionException, InterruptedException {
        producer.beginTransaction();
        var sent = producer.send(new ProducerRecord<>(topic, key, value.toByteArray()));
        producer.commitTransaction();
        return sent.get();
    }

    /** Waits for a report of the topic that satisfies the condition; earlier ones are passed over. */
    <T> T await(String topic, Parser<T> parser, Predicate<T> condition) throws IOException {
        long deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
        Optional<T> last = Optional.empty();
        while (System.nanoTime() < deadline) {
            for (ConsumerRecord<String, byte[]> record : reports.poll(Duration.ofMillis(100))) {
                if (record.topic().equals(topic) && record.value() != null) {
                    T report = parser.parseFrom(record.value());
                    last = Optional.of(report);
                    if (condition.test(report)) {
                        return report;
                    }
                }
            }
        }
        throw new AssertionError("no such report on " + topic + "; the last one was " + last);
    }

    @Override
    public void close() {
        producer.close();
        reports.close();
        admin.close();
    }
}
