// SPDX-License-Identifier: Apache-2.0
package dev.weir.provisioner.publish;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.weir.messages.v1.ConfigRecord;
import dev.weir.messages.v1.PopsRecord;
import dev.weir.provisioner.kafka.KafkaClients;
import dev.weir.provisioner.kafka.Topic;
import jakarta.annotation.PreDestroy;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.stereotype.Component;

/** Reads a partition back: what nodes will see, not what was meant to be sent. */
@Component
class LogReader {
    private static final Logger log = LoggerFactory.getLogger(LogReader.class);
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final KafkaClients clients;
    private @Nullable Consumer<String, byte[]> consumer;

    LogReader(KafkaClients clients) {
        this.clients = clients;
    }

    /**
     * The newest record of each key, by key. One after the other by one consumer: at the start, all partitions are read at
     * once, and a connection for each would cost more than the reading.
     */
    synchronized TreeMap<String, LogEntry> read(Topic topic, int partition) {
        Consumer<String, byte[]> open = consumer;
        if (open == null) {
            open = clients.consumer();
        }
        consumer = null;
        try {
            TreeMap<String, LogEntry> entries = read(open, topic, partition);
            consumer = open;
            return entries;
        } finally {
            if (consumer == null) {
                open.close(CloseOptions.timeout(Duration.ZERO));
            }
        }
    }

    private static TreeMap<String, LogEntry> read(Consumer<String, byte[]> consumer, Topic topic, int partition) {
        TreeMap<String, LogEntry> entries = new TreeMap<>();
        TopicPartition place = new TopicPartition(topic.topicName(), partition);
        consumer.assign(List.of(place));
        consumer.seekToBeginning(List.of(place));
        long end = consumer.endOffsets(List.of(place)).getOrDefault(place, 0L);
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (consumer.position(place) < end) {
            if (System.nanoTime() - deadline > 0) {
                throw new IllegalStateException("reading " + place + " back took too long");
            }
            for (ConsumerRecord<String, byte[]> record : consumer.poll(Duration.ofMillis(200))) {
                add(entries, topic, record);
            }
        }
        consumer.unsubscribe();
        return entries;
    }

    @PreDestroy
    synchronized void close() {
        if (consumer != null) {
            consumer.close(CloseOptions.timeout(Duration.ZERO));
        }
    }

    private static void add(Map<String, LogEntry> entries, Topic topic, ConsumerRecord<String, byte[]> record) {
        if (record.value() == null) {
            entries.remove(record.key());
            return;
        }
        try {
            LogEntry entry = switch (topic) {
                case CONFIG -> {
                    ConfigRecord config = ConfigRecord.parseFrom(record.value());
                    yield new LogEntry(config.getEpoch(), config.getSequence(), record.offset(), !config.hasDeleted());
                }
                case POPS -> {
                    PopsRecord pops = PopsRecord.parseFrom(record.value());
                    yield new LogEntry(pops.getEpoch(), pops.getSequence(), record.offset(), !pops.hasDeleted());
                }
                case WATERMARKS, HEALTH, METRICS, FLOWS ->
                    throw new IllegalArgumentException(topic + " is not published here");
            };
            LogEntry known = entries.get(record.key());
            if (known == null || newer(entry, known)) {
                entries.put(record.key(), entry);
            }
        } catch (InvalidProtocolBufferException e) {
            log.atError()
                    .addKeyValue("topic", record.topic())
                    .addKeyValue("partition", record.partition())
                    .addKeyValue("offset", record.offset())
                    .log("record in the log is malformed");
        }
    }

    private static boolean newer(LogEntry entry, LogEntry known) {
        return entry.epoch() > known.epoch() || entry.epoch() == known.epoch() && entry.sequence() > known.sequence();
    }
}
