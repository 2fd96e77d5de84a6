// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.flow;

import dev.weir.edge.stream.KafkaAccess;
import dev.weir.messages.v1.FlowsRecord;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Publishes flow records to Kafka, gathered and compressed, within a few megabytes; what does not fit is lost. */
public final class KafkaFlows implements FlowSink {
    private static final Logger log = LoggerFactory.getLogger(KafkaFlows.class);
    private static final long BUFFER_BYTES = 4L * 1024 * 1024;
    private static final int TIMEOUT_MS = 5_000;
    private static final int LINGER_MS = 100;
    private static final int CLOSE_MS = 500;

    private final KafkaAccess access;
    private final AtomicLong published = new AtomicLong();
    private final AtomicLong lost = new AtomicLong();
    private @Nullable KafkaProducer<String, byte[]> producer;
    private volatile boolean failing;

    public KafkaFlows(KafkaAccess access) {
        this.access = access;
    }

    @Override
    public void publish(String loadBalancerId, FlowsRecord record) {
        try {
            producer()
                    .send(
                            new ProducerRecord<>(KafkaAccess.FLOWS_TOPIC, loadBalancerId, record.toByteArray()),
                            (metadata, failure) -> done(failure));
        } catch (KafkaException e) {
            done(e);
        }
    }

    private KafkaProducer<String, byte[]> producer() {
        KafkaProducer<String, byte[]> known = producer;
        if (known == null) {
            known = new KafkaProducer<>(settings(), new StringSerializer(), new ByteArraySerializer());
            producer = known;
        }
        return known;
    }

    private void done(@Nullable Exception failure) {
        if (failure == null) {
            published.incrementAndGet();
            failing = false;
            return;
        }
        lost.incrementAndGet();
        if (!failing) {
            failing = true;
            log.atWarn().addKeyValue("reason", failure.getMessage()).log("flow records are not taken and lost");
        }
    }

    @Override
    public long published() {
        return published.get();
    }

    @Override
    public long lost() {
        return lost.get();
    }

    @Override
    public void close() {
        KafkaProducer<String, byte[]> open = producer;
        if (open != null) {
            open.close(Duration.ofMillis(CLOSE_MS));
        }
    }

    private Map<String, Object> settings() {
        Map<String, Object> settings = access.common();
        // Nobody counts by these records: the leader's word is enough.
        settings.put(ProducerConfig.ACKS_CONFIG, "1");
        settings.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, false);
        settings.put(ProducerConfig.LINGER_MS_CONFIG, LINGER_MS);
        settings.put(ProducerConfig.COMPRESSION_TYPE_CONFIG, "zstd");
        settings.put(ProducerConfig.COMPRESSION_ZSTD_LEVEL_CONFIG, 1);
        settings.put(ProducerConfig.BUFFER_MEMORY_CONFIG, BUFFER_BYTES);
        settings.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, TIMEOUT_MS);
        settings.put(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, TIMEOUT_MS - LINGER_MS - 1);
        settings.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, TIMEOUT_MS);
        return settings;
    }
}
