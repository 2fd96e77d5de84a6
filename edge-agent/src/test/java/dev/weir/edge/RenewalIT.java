// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.edge.stream.KafkaAccess;
import dev.weir.testbed.pki.Certificate;
import dev.weir.testbed.servers.KafkaServer;
import dev.weir.testbed.servers.TestServers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A client of the agent goes on with the certificate that replaced the one it was made with. */
class RenewalIT {
    @TempDir
    Path directory;

    @Test
    void nextConnectionHasTheRenewedCertificate() throws Exception {
        KafkaServer kafka = TestServers.kafka();
        Certificate former = kafka.pki().issue("former", List.of());
        Certificate renewed = kafka.pki().issue("renewed", List.of());
        Path pair = Files.copy(former.keyStore(), directory.resolve("node.pem"));
        AgentConfig.Kafka settings =
                new AgentConfig.Kafka(kafka.bootstrap(), former.authority(), pair, pair, Duration.ofHours(24));
        try (Centre centre = new Centre(kafka)) {
            centre.allow("renewed");
            Map<String, Object> common = new KafkaAccess(settings, "renewed").common();
            // So that there soon is a next connection.
            common.put("connections.max.idle.ms", 300);
            common.put("max.block.ms", 5_000);
            // Or a producer without rights asks for its id all the time, and is never idle.
            common.put("enable.idempotence", false);
            try (KafkaProducer<String, byte[]> producer =
                    new KafkaProducer<>(common, new StringSerializer(), new ByteArraySerializer())) {
                assertThatThrownBy(() -> send(producer)).hasCauseInstanceOf(AuthorizationException.class);

                Files.move(
                        Files.copy(renewed.keyStore(), directory.resolve("new")),
                        pair,
                        StandardCopyOption.ATOMIC_MOVE,
                        StandardCopyOption.REPLACE_EXISTING);

                assertThat(sentWithin(Duration.ofSeconds(20), producer)).isTrue();
            }
        }
    }

    private static void send(KafkaProducer<String, byte[]> producer) throws ExecutionException, InterruptedException {
        producer.send(new ProducerRecord<>(KafkaAccess.FLOWS_TOPIC, "key", new byte[1]))
                .get();
    }

    private static boolean sentWithin(Duration time, KafkaProducer<String, byte[]> producer)
            throws InterruptedException {
        long deadline = System.nanoTime() + time.toNanos();
        while (System.nanoTime() < deadline) {
            try {
                send(producer);
                return true;
            } catch (ExecutionException e) {
                // Long enough for the connection to be given up as idle.
                Thread.sleep(700);
            }
        }
        return false;
    }
}
