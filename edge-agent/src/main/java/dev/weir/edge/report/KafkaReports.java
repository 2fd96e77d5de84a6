// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.report;

import com.google.protobuf.MessageLite;
import dev.weir.edge.stream.KafkaAccess;
import dev.weir.messages.v1.HealthReport;
import dev.weir.messages.v1.MetricsReport;
import dev.weir.messages.v1.NodeWatermark;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends reports to Kafka from a thread of its own. What waits is small and bounded: the newest watermark, the newest
 * health of each load balancer, one metrics report.
 */
public final class KafkaReports implements Reports, AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(KafkaReports.class);
    private static final int TIMEOUT_MS = 5_000;
    private static final long PAUSE_MS = 500;
    private static final String SIGNATURE = "weir-signature";

    private record Outgoing(ProducerRecord<String, byte[]> record, Consumer<Boolean> done) {}

    private final KafkaAccess access;
    private final String nodeId;
    private final Thread thread;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition filled = lock.newCondition();
    private @Nullable NodeWatermark watermark;
    private final Map<String, Optional<HealthReport>> health = new LinkedHashMap<>();
    private @Nullable Outgoing metrics;
    private volatile boolean closing;
    private volatile String lastFailure = "";

    public KafkaReports(KafkaAccess access, String nodeId) {
        this.access = access;
        this.nodeId = nodeId;
        this.thread = Thread.ofPlatform().daemon().name("kafka-reports").unstarted(this::run);
    }

    public void start() {
        thread.start();
    }

    @Override
    public void close() throws InterruptedException {
        put(() -> closing = true);
        thread.join(TIMEOUT_MS);
    }

    @Override
    public void watermark(NodeWatermark newest) {
        put(() -> watermark = newest);
    }

    @Override
    public void health(String loadBalancerId, @Nullable HealthReport report) {
        put(() -> health.put(loadBalancerId, Optional.ofNullable(report)));
    }

    @Override
    public void metrics(MetricsReport report, Consumer<Boolean> done) {
        put(() -> metrics = new Outgoing(record(KafkaAccess.METRICS_TOPIC, nodeId, report), done));
    }

    private void put(Runnable change) {
        lock.lock();
        try {
            change.run();
            filled.signal();
        } finally {
            lock.unlock();
        }
    }

    private void run() {
        while (!closing) {
            try {
                try {
                    sendAll();
                } catch (KafkaException e) {
                    failed(e);
                }
                Thread.sleep(PAUSE_MS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
    }

    private void sendAll() throws InterruptedException {
        KafkaProducer<String, byte[]> producer =
                new KafkaProducer<>(settings(), new StringSerializer(), new ByteArraySerializer());
        try {
            while (!closing) {
                for (Outgoing outgoing : take()) {
                    send(producer, outgoing);
                }
            }
        } finally {
            producer.close(Duration.ofMillis(PAUSE_MS));
        }
    }

    private List<Outgoing> take() throws InterruptedException {
        List<Outgoing> taken = new ArrayList<>();
        lock.lockInterruptibly();
        try {
            while (watermark == null && health.isEmpty() && metrics == null && !closing) {
                filled.await(1, TimeUnit.SECONDS);
            }
            if (watermark != null) {
                taken.add(new Outgoing(record(KafkaAccess.WATERMARKS_TOPIC, nodeId, watermark), done -> {}));
                watermark = null;
            }
            if (metrics != null) {
                taken.add(metrics);
                metrics = null;
            }
            health.forEach((id, report) -> taken.add(new Outgoing(
                    record(KafkaAccess.HEALTH_TOPIC, nodeId + "/" + id, report.orElse(null)), sent -> {
                        if (!sent) {
                            again(id, report);
                        }
                    })));
            health.clear();
        } finally {
            lock.unlock();
        }
        return taken;
    }

    /** A lost health report would be missed until the next minute; a newer one wins. */
    private void again(String loadBalancerId, Optional<HealthReport> report) {
        lock.lock();
        try {
            // Not signalled: it leaves with the next report, not in a tight loop.
            health.putIfAbsent(loadBalancerId, report);
        } finally {
            lock.unlock();
        }
    }

    private static ProducerRecord<String, byte[]> record(String topic, String key, @Nullable MessageLite message) {
        return new ProducerRecord<>(topic, key, message == null ? null : message.toByteArray());
    }

    private void send(KafkaProducer<String, byte[]> producer, Outgoing outgoing) {
        try {
            producer.send(signed(outgoing.record()), (metadata, failure) -> {
                if (failure == null) {
                    if (!lastFailure.isEmpty()) {
                        lastFailure = "";
                        log.info("reports are taken again");
                    }
                    outgoing.done().accept(true);
                } else {
                    failed(failure);
                    outgoing.done().accept(false);
                }
            });
        } catch (KafkaException | IOException e) {
            failed(e);
            outgoing.done().accept(false);
        }
    }

    /** Kafka lets a node write under any key; whoever reads a report must know whose it is. */
    private ProducerRecord<String, byte[]> signed(ProducerRecord<String, byte[]> record) throws IOException {
        byte[] value = record.value();
        if (value != null) {
            record.headers().add(SIGNATURE, access.identity().signReport(record.topic(), record.key(), value));
        }
        return record;
    }

    private void failed(Exception e) {
        String failure = String.valueOf(e.getMessage());
        if (lastFailure.isEmpty()) {
            log.atWarn().addKeyValue("reason", failure).log("reports are not taken, trying on");
        }
        lastFailure = failure;
    }

    private Map<String, Object> settings() {
        Map<String, Object> settings = access.common();
        settings.put(ProducerConfig.ACKS_CONFIG, "all");
        // A watermark is what somebody waits for; nothing is gained by gathering.
        settings.put(ProducerConfig.LINGER_MS_CONFIG, 0);
        settings.put(ProducerConfig.COMPRESSION_TYPE_CONFIG, "zstd");
        settings.put(ProducerConfig.COMPRESSION_ZSTD_LEVEL_CONFIG, 1);
        settings.put(ProducerConfig.BUFFER_MEMORY_CONFIG, 8L * 1024 * 1024);
        settings.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, 1_000);
        settings.put(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, TIMEOUT_MS - 1);
        settings.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, TIMEOUT_MS);
        return settings;
    }
}
