// SPDX-License-Identifier: Apache-2.0
package dev.weir.provisioner.kafka;

import java.time.Duration;
import java.util.Map;
import org.apache.kafka.common.config.TopicConfig;

/** The topics of {@code openapi/messages/topics.md}. */
public enum Topic {
    // A digest must stay readable until the next one; it is written at most each 10 s.
    CONFIG("weir.config.v1", 16, compacted(Duration.ofMinutes(1))),
    POPS("weir.pops.v1", 1, compacted(Duration.ZERO)),
    WATERMARKS("weir.watermarks.v1", 4, compacted(Duration.ZERO)),
    HEALTH("weir.health.v1", 4, compacted(Duration.ZERO)),
    METRICS("weir.metrics.v1", 4, deleted()),
    FLOWS("weir.flows.v1", 4, deleted());

    /** Of a record with all that Kafka puts around it. */
    static final int MAX_RECORD_BYTES = 2 * 1024 * 1024;

    private final String topicName;
    private final int partitions;
    private final Map<String, String> config;

    Topic(String topicName, int partitions, Map<String, String> config) {
        this.topicName = topicName;
        this.partitions = partitions;
        this.config = config;
    }

    public String topicName() {
        return topicName;
    }

    public int partitions() {
        return partitions;
    }

    Map<String, String> config() {
        return config;
    }

    private static Map<String, String> compacted(Duration minLag) {
        return Map.of(
                TopicConfig.CLEANUP_POLICY_CONFIG, TopicConfig.CLEANUP_POLICY_COMPACT,
                TopicConfig.MIN_COMPACTION_LAG_MS_CONFIG, Long.toString(minLag.toMillis()),
                // Nodes whose state is older than half of this read from the start.
                TopicConfig.DELETE_RETENTION_MS_CONFIG,
                        Long.toString(Duration.ofDays(1).toMillis()),
                TopicConfig.SEGMENT_MS_CONFIG, Long.toString(Duration.ofHours(1).toMillis()),
                TopicConfig.MAX_MESSAGE_BYTES_CONFIG, Integer.toString(MAX_RECORD_BYTES),
                // The broker's clock: nodes' clocks say nothing about when they were last heard of.
                TopicConfig.MESSAGE_TIMESTAMP_TYPE_CONFIG, "LogAppendTime");
    }

    private static Map<String, String> deleted() {
        return Map.of(
                TopicConfig.CLEANUP_POLICY_CONFIG,
                TopicConfig.CLEANUP_POLICY_DELETE,
                TopicConfig.RETENTION_MS_CONFIG,
                Long.toString(Duration.ofDays(1).toMillis()),
                TopicConfig.SEGMENT_MS_CONFIG,
                Long.toString(Duration.ofHours(1).toMillis()),
                TopicConfig.MESSAGE_TIMESTAMP_TYPE_CONFIG,
                "LogAppendTime");
    }
}
