// SPDX-License-Identifier: Apache-2.0
package dev.weir.provisioner;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.weir.compiler.ResourceId;
import dev.weir.messages.v1.NodeWatermark;
import dev.weir.provisioner.kafka.Topic;
import dev.weir.testbed.pki.Pki;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.Signature;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import javax.security.auth.x500.X500Principal;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.InvalidRecordException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.pkcs.jcajce.JcaPKCS10CertificationRequestBuilder;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** From a node's request, as the api stores it, to a certificate that Kafka and the followers of reports know. */
class EnrolmentIT {
    private static final Duration SOON = Duration.ofSeconds(30);

    private static World world;
    private static ProvisionerProcess provisioner;
    private static UUID pop;

    @BeforeAll
    static void startEverything() throws IOException {
        world = new World();
        pop = world.pop(Map.of());
        Pki pki = world.kafka.pki();
        provisioner = ProvisionerProcess.start(
                world,
                "enrolment",
                Map.of(
                        "WEIR_CA_CERT", pki.authorityFile().toString(),
                        "WEIR_CA_KEY", pki.authorityKeyFile().toString()));
    }

    @AfterAll
    static void endEverything() throws InterruptedException {
        provisioner.close();
    }

    /** A node with a key of its own. */
    private record Enrolled(UUID id, KeyPair keys, byte[] certificate, byte[] authority) implements AutoCloseable {
        String name() {
            return ResourceId.NODE.format(id);
        }

        Map<String, Object> settings() {
            Map<String, Object> settings = new HashMap<>();
            settings.put("bootstrap.servers", world.kafka.bootstrap());
            settings.put("security.protocol", "SSL");
            settings.put("ssl.keystore.type", "PEM");
            settings.put(
                    "ssl.keystore.key", pem("PRIVATE KEY", keys.getPrivate().getEncoded()));
            settings.put("ssl.keystore.certificate.chain", pem("CERTIFICATE", certificate));
            settings.put("ssl.truststore.type", "PEM");
            settings.put("ssl.truststore.certificates", pem("CERTIFICATE", authority));
            settings.put("linger.ms", 0);
            settings.put("max.block.ms", 10_000);
            settings.put("enable.auto.commit", false);
            return settings;
        }

        KafkaProducer<String, byte[]> producer() {
            return new KafkaProducer<>(settings(), new StringSerializer(), new ByteArraySerializer());
        }

        KafkaConsumer<String, byte[]> consumer() {
            return new KafkaConsumer<>(settings(), new StringDeserializer(), new ByteArrayDeserializer());
        }

        /** Signs as this node, whatever the key says. */
        ProducerRecord<String, byte[]> signed(String key, byte[] value) throws Exception {
            ProducerRecord<String, byte[]> record = new ProducerRecord<>(Topic.WATERMARKS.topicName(), key, value);
            Signature signer = Signature.getInstance("SHA256withECDSA");
            signer.initSign(keys.getPrivate());
            byte[] topic = record.topic().getBytes(StandardCharsets.UTF_8);
            signer.update(ByteBuffer.allocate(14 + 12 + topic.length + key.length() + value.length)
                    .put("weir-report-v1".getBytes(StandardCharsets.UTF_8))
                    .putInt(topic.length)
                    .put(topic)
                    .putInt(key.length())
                    .put(key.getBytes(StandardCharsets.UTF_8))
                    .putInt(value.length)
                    .put(value)
                    .array());
            byte[] signature = signer.sign();
            record.headers()
                    .add(
                            "weir-signature",
                            ByteBuffer.allocate(33 + signature.length)
                                    .put((byte) 1)
                                    .put(MessageDigest.getInstance("SHA-256").digest(certificate))
                                    .put(signature)
                                    .array());
            return record;
        }

        @Override
        public void close() {
            world.remove(id);
        }
    }

    private static String pem(String kind, byte[] der) {
        return "-----BEGIN %1$s-----\n%2$s\n-----END %1$s-----\n"
                .formatted(kind, Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der));
    }

    private static KeyPair key() throws Exception {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(new ECGenParameterSpec("secp256r1"));
        return generator.generateKeyPair();
    }

    private static UUID ask(UUID node, KeyPair keys, String subject, String proof) throws Exception {
        byte[] request = new JcaPKCS10CertificationRequestBuilder(new X500Principal(subject), keys.getPublic())
                .build(new JcaContentSignerBuilder("SHA256withECDSA").build(keys.getPrivate()))
                .getEncoded();
        return world.jdbc
                .sql("""
                        insert into node_certificates (node_id, proof, request, request_sha256) values (?, ?, ?, sha256(?))
                        returning id""")
                .params(node, proof, request, request)
                .query(UUID.class)
                .single();
    }

    private static String state(UUID request) {
        return world.jdbc
                .sql("select state from node_certificates where id = ?")
                .param(request)
                .query(String.class)
                .single();
    }

    private static Enrolled enrol(UUID node, String proof) throws Exception {
        KeyPair keys = key();
        UUID request = ask(node, keys, "CN=" + ResourceId.NODE.format(node), proof);
        await().atMost(Duration.ofMinutes(1)).until(() -> state(request).equals("issued"));
        return world.jdbc
                .sql("select certificate, authority from node_certificates where id = ?")
                .param(request)
                .query((row, n) -> new Enrolled(node, keys, row.getBytes(1), row.getBytes(2)))
                .single();
    }

    private static byte[] watermark(UUID node, String agent) {
        long now = ChronoUnit.MICROS.between(Instant.EPOCH, Instant.now());
        return NodeWatermark.newBuilder()
                .setNodeId(ResourceId.NODE.format(node))
                .setPopId(ResourceId.POP.format(pop))
                .setSentAtUs(now)
                .setAgentStartId(agent)
                .setAgentVersion(agent)
                .build()
                .toByteArray();
    }

    private static String agentOf(UUID node) {
        return world.jdbc
                .sql("select agent_version from node_reports where node_id = ?")
                .param(node)
                .query(String.class)
                .optional()
                .orElse("none");
    }

    private static double dropped(String reason) throws IOException, InterruptedException {
        try (HttpClient client = HttpClient.newHttpClient()) {
            HttpRequest request = HttpRequest.newBuilder(URI.create(provisioner.url() + "/actuator/prometheus"))
                    .build();
            return client.send(request, HttpResponse.BodyHandlers.ofLines())
                    .body()
                    .filter(line -> line.startsWith("weir_provisioner_reports_dropped_total")
                            && line.contains("\"" + reason + "\""))
                    .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
                    .sum();
        }
    }

    @Test
    void certificateLetsItsNodeDoWhatNodesDoAndNothingElseUntilTheNodeIsRemoved() throws Exception {
        UUID node = world.node(pop);
        try (Enrolled enrolled = enrol(node, "token");
                KafkaProducer<String, byte[]> producer = enrolled.producer();
                KafkaConsumer<String, byte[]> consumer = enrolled.consumer()) {
            TopicPartition config = new TopicPartition(Topic.CONFIG.topicName(), 0);
            consumer.assign(List.of(config));
            consumer.seekToBeginning(List.of(config));
            consumer.poll(Duration.ofSeconds(2));
            producer.send(enrolled.signed(enrolled.name(), watermark(node, "one")))
                    .get();

            await().atMost(SOON).untilAsserted(() -> assertThat(agentOf(node)).isEqualTo("one"));
            assertThatThrownBy(() -> producer.send(new ProducerRecord<>(Topic.CONFIG.topicName(), "x", new byte[1]))
                            .get())
                    .isInstanceOf(ExecutionException.class)
                    .hasCauseInstanceOf(TopicAuthorizationException.class);
            try (KafkaConsumer<String, byte[]> spy = enrolled.consumer()) {
                spy.assign(List.of(new TopicPartition(Topic.WATERMARKS.topicName(), 0)));
                spy.seekToBeginning(spy.assignment());
                assertThatThrownBy(() -> spy.poll(Duration.ofSeconds(5)))
                        .isInstanceOf(TopicAuthorizationException.class);
            }

            world.remove(node);

            await().atMost(SOON).untilAsserted(() -> {
                assertThatThrownBy(() -> producer.send(enrolled.signed(enrolled.name(), watermark(node, "two")))
                                .get())
                        .hasCauseInstanceOf(TopicAuthorizationException.class);
                assertThatThrownBy(() -> consumer.poll(Duration.ofMillis(200)))
                        .isInstanceOf(TopicAuthorizationException.class);
            });
            UUID afterwards = ask(node, key(), "", "certificate");
            Thread.sleep(1_500);
            assertThat(state(afterwards)).as("nobody signs for it").isEqualTo("pending");
        }
    }

    @Test
    void reportsThatTheirNodeDidNotSignAreDroppedAndCounted() throws Exception {
        UUID victim = world.node(pop);
        UUID attacker = world.node(pop);
        try (Enrolled good = enrol(victim, "token");
                Enrolled evil = enrol(attacker, "token");
                KafkaProducer<String, byte[]> producer = evil.producer()) {
            producer.send(good.signed(good.name(), watermark(victim, "own"))).get();
            await().atMost(SOON).untilAsserted(() -> assertThat(agentOf(victim)).isEqualTo("own"));
            double bad = dropped("bad_signature");
            double unsigned = dropped("unsigned");

            producer.send(evil.signed(good.name(), watermark(victim, "forged"))).get();
            ProducerRecord<String, byte[]> changed = good.signed(good.name(), watermark(victim, "signed"));
            ProducerRecord<String, byte[]> other = new ProducerRecord<>(
                    changed.topic(), null, good.name(), watermark(victim, "changed"), changed.headers());
            producer.send(other).get();
            producer.send(new ProducerRecord<>(
                            Topic.WATERMARKS.topicName(), good.name(), watermark(victim, "unsigned")))
                    .get();
            assertThatThrownBy(
                            () -> producer.send(new ProducerRecord<>(Topic.WATERMARKS.topicName(), null, new byte[1]))
                                    .get())
                    .as("what names no node is not even taken")
                    .hasCauseInstanceOf(InvalidRecordException.class);

            await().atMost(SOON).untilAsserted(() -> {
                assertThat(dropped("bad_signature")).isEqualTo(bad + 2);
                assertThat(dropped("unsigned")).isEqualTo(unsigned + 1);
            });
            assertThat(agentOf(victim)).isEqualTo("own");
            assertThat(provisioner.log()).contains("it is not signed by the node that it names");
        }
    }

    @Test
    void newTokenEndsWhatTheNodeHadAndRenewalDoesNot() throws Exception {
        UUID node = world.node(pop);
        try (Enrolled first = enrol(node, "token");
                KafkaProducer<String, byte[]> producer = first.producer()) {
            Enrolled renewed = enrol(node, "certificate");
            producer.send(first.signed(first.name(), watermark(node, "first"))).get();
            await().atMost(SOON).untilAsserted(() -> assertThat(agentOf(node)).isEqualTo("first"));
            producer.send(renewed.signed(first.name(), watermark(node, "renewed")))
                    .get();
            await().atMost(SOON).untilAsserted(() -> assertThat(agentOf(node)).isEqualTo("renewed"));

            Enrolled anew = enrol(node, "token");
            Thread.sleep(1_500);
            producer.send(renewed.signed(first.name(), watermark(node, "stolen")))
                    .get();
            producer.send(anew.signed(first.name(), watermark(node, "anew"))).get();

            await().atMost(SOON).untilAsserted(() -> assertThat(agentOf(node)).isEqualTo("anew"));
            assertThat(world.jdbc
                            .sql("select count(*) from node_certificates where node_id = ? and revoked_at is null")
                            .param(node)
                            .query(Long.class)
                            .single())
                    .isEqualTo(1);
        }
    }

    @Test
    void requestInAnothersNameIsRefusedWithItsReason() throws Exception {
        UUID node = world.node(pop);
        UUID other = world.node(pop);

        UUID request = ask(node, key(), "CN=" + ResourceId.NODE.format(other), "token");

        await().atMost(Duration.ofMinutes(1)).until(() -> state(request).equals("refused"));
        assertThat(world.jdbc
                        .sql("select refusal from node_certificates where id = ?")
                        .param(request)
                        .query(String.class)
                        .single())
                .contains("another subject");
        world.remove(node);
        world.remove(other);
    }
}
