// SPDX-License-Identifier: Apache-2.0
package dev.weir.provisioner.rollout;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.weir.compiler.ResourceId;
import dev.weir.messages.v1.DrainingKey;
import dev.weir.messages.v1.NodeWatermark;
import dev.weir.messages.v1.PartitionWatermark;
import dev.weir.messages.v1.RejectedKey;
import dev.weir.provisioner.follow.NodeDirectory;
import dev.weir.provisioner.follow.NodeDirectory.Node;
import dev.weir.provisioner.follow.ReportHandler;
import dev.weir.provisioner.kafka.Topic;
import dev.weir.provisioner.kafka.Topics;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.dao.DataAccessException;
import org.springframework.stereotype.Component;

/** Stores how far nodes have come, and refreshes the load balancers that this concerns. */
@Component
public final class Watermarks implements ReportHandler {
    /** A node that says nothing for this long is unreachable and not waited for. */
    static final Duration SILENCE = Duration.ofSeconds(10);

    private static final Duration REFRESH_EACH = Duration.ofSeconds(5);
    private static final Logger log = LoggerFactory.getLogger(Watermarks.class);

    private record Report(Node node, NodeWatermark watermark, Instant receivedAt) {}

    private final NodeDirectory directory;
    private final WatermarkStore store;
    private final StatusStore statuses;
    private final Topics topics;

    /** Nodes that were reachable at the last tick; touched by the follower's thread only. */
    private Set<UUID> reachable = new HashSet<>();

    private long tickedAt;
    private long refreshedAt = System.nanoTime() - REFRESH_EACH.toNanos();

    Watermarks(NodeDirectory directory, WatermarkStore store, StatusStore statuses, Topics topics) {
        this.directory = directory;
        this.store = store;
        this.statuses = statuses;
        this.topics = topics;
    }

    @Override
    public Topic topic() {
        return Topic.WATERMARKS;
    }

    @Override
    public Runnable handle(List<ConsumerRecord<String, byte[]>> records) {
        Map<UUID, Node> nodes = directory.nodes();
        // Each says everything, so of several only a node's last one counts.
        Map<UUID, Report> reports = new LinkedHashMap<>();
        for (ConsumerRecord<String, byte[]> record : records) {
            parse(record)
                    .ifPresent(watermark -> directory
                            .reporter(nodes, record.key(), watermark.getNodeId(), "watermark")
                            .ifPresent(node -> reports.put(
                                    node.id(), new Report(node, watermark, Instant.ofEpochMilli(record.timestamp())))));
        }
        String configTopicId = topics.id(Topic.CONFIG);
        Set<UUID> concerned = new HashSet<>();
        for (Report report : reports.values()) {
            concerned.addAll(store(report, configTopicId));
        }
        return () -> statuses.refresh(concerned);
    }

    private Optional<NodeWatermark> parse(ConsumerRecord<String, byte[]> record) {
        try {
            return Optional.of(NodeWatermark.parseFrom(record.value()));
        } catch (InvalidProtocolBufferException e) {
            directory.drop("watermark", "malformed");
            return Optional.empty();
        }
    }

    private Set<UUID> store(Report report, String configTopicId) {
        UUID nodeId = report.node().id();
        NodeWatermark watermark = report.watermark();
        Set<UUID> concerned = new HashSet<>();
        boolean wasSilent = store.putReport(nodeId, watermark, report.receivedAt());
        if (wasSilent) {
            log.atInfo().addKeyValue("node", watermark.getNodeId()).log("node is heard of again");
            concerned.addAll(store.loadBalancersPlacedOn(List.of(report.node().popId())));
        }
        Map<Integer, Long> before = store.positions(nodeId);
        for (PartitionWatermark partition : watermark.getPartitionsList()) {
            // Positions in a topic that is no more say nothing about this one.
            long position = watermark.getTopicId().equals(configTopicId) ? partition.getPosition() : 0;
            long old = before.getOrDefault(partition.getPartition(), 0L);
            if (partition.getPartition() < Topic.CONFIG.partitions()
                    && (position != old || !before.containsKey(partition.getPartition()))) {
                store.putPosition(nodeId, partition, position);
                concerned.addAll(store.loadBalancersBetween(
                        partition.getPartition(), Math.min(old, position), Math.max(old, position)));
            }
        }
        List<RejectedKey> rejected = watermark.getRejectedList().stream()
                .filter(key -> ResourceId.LOAD_BALANCER.matches(key.getKey()))
                .toList();
        concerned.addAll(store.putRejections(nodeId, rejected));
        // Positions in a topic that is no more hold nothing back.
        List<DrainingKey> draining = watermark.getTopicId().equals(configTopicId)
                ? watermark.getDrainingList().stream()
                        .filter(key -> ResourceId.LOAD_BALANCER.matches(key.getKey()))
                        .toList()
                : List.of();
        concerned.addAll(store.putDrains(nodeId, draining));
        return concerned;
    }

    /** Notices who fell silent: that happens without a record. */
    @Override
    public void tick(int partition) {
        if (partition != 0
                || System.nanoTime() - tickedAt < Duration.ofSeconds(1).toNanos()) {
            return;
        }
        tickedAt = System.nanoTime();
        try {
            Set<UUID> now = new HashSet<>(store.reachableNodes());
            Set<UUID> silent = new HashSet<>(reachable);
            silent.removeAll(now);
            if (!silent.isEmpty()) {
                log.atWarn()
                        .addKeyValue(
                                "nodes",
                                silent.stream().map(ResourceId.NODE::format).toList())
                        .log("nodes are silent: not waited for any more");
                statuses.refresh(store.loadBalancersPlacedOn(store.popsOf(silent)));
            }
            reachable = now;
            if (System.nanoTime() - refreshedAt > REFRESH_EACH.toNanos()) {
                refreshedAt = System.nanoTime();
                statuses.refresh(statuses.behind());
            }
        } catch (DataAccessException e) {
            // The same nodes are compared again at the next tick.
            log.atDebug().addKeyValue("cause", e.getMessage()).log("reachability is not known");
        }
    }
}
