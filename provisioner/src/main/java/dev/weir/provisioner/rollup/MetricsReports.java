// SPDX-License-Identifier: Apache-2.0
package dev.weir.provisioner.rollup;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.weir.compiler.ResourceId;
import dev.weir.messages.v1.DropDelta;
import dev.weir.messages.v1.FlowCounterDelta;
import dev.weir.messages.v1.MetricsReport;
import dev.weir.provisioner.follow.NodeDirectory;
import dev.weir.provisioner.follow.NodeDirectory.Node;
import dev.weir.provisioner.follow.ReportHandler;
import dev.weir.provisioner.kafka.Topic;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.dao.DataAccessException;
import org.springframework.stereotype.Component;

/** Adds nodes' counter deltas up into rows of ten seconds, each report once. */
@Component
public final class MetricsReports implements ReportHandler {
    private static final Logger log = LoggerFactory.getLogger(MetricsReports.class);
    private static final long BUCKET_US = Duration.ofSeconds(10).toNanos() / 1000;

    /** Nodes send what they kept while Kafka was away; older than this it is not asked for any more. */
    private static final Duration TOO_OLD = Duration.ofMinutes(59);

    private static final Duration TOO_NEW = Duration.ofMinutes(59);
    private static final Duration MAINTAIN_EACH = Duration.ofMinutes(5);

    private final NodeDirectory directory;
    private final MetricsStore store;
    private final Clock clock;
    private long maintainedAt = System.nanoTime() - MAINTAIN_EACH.toNanos();

    MetricsReports(NodeDirectory directory, MetricsStore store, Clock clock) {
        this.directory = directory;
        this.store = store;
        this.clock = clock;
    }

    @Override
    public Topic topic() {
        return Topic.METRICS;
    }

    @Override
    public Runnable handle(List<ConsumerRecord<String, byte[]>> records) {
        Map<UUID, Node> nodes = directory.nodes();
        Rollup rollup = new Rollup();
        Map<UUID, @Nullable UUID> projects = new HashMap<>();
        for (ConsumerRecord<String, byte[]> record : records) {
            MetricsReport report;
            try {
                report = MetricsReport.parseFrom(record.value());
            } catch (InvalidProtocolBufferException e) {
                directory.drop("metrics", "malformed");
                continue;
            }
            directory
                    .reporter(nodes, record.key(), report.getNodeId(), "metrics")
                    .ifPresent(node -> add(rollup, node, report, projects));
        }
        store.write(rollup);
        return () -> {};
    }

    private void add(Rollup rollup, Node node, MetricsReport report, Map<UUID, @Nullable UUID> projects) {
        if (!store.advanceCursor(node.id(), report.getCounterEpoch(), report.getSequence())) {
            directory.drop("metrics", "duplicate");
            return;
        }
        Instant end = Instant.EPOCH.plus(report.getIntervalEndUs(), ChronoUnit.MICROS);
        Instant now = clock.instant();
        if (end.isBefore(now.minus(TOO_OLD)) || end.isAfter(now.plus(TOO_NEW))) {
            directory.drop("metrics", "out_of_time");
            return;
        }
        // An interval is short against a bucket; all of it counts where it ended.
        Instant bucket = Instant.EPOCH.plus(
                Math.floorDiv(report.getIntervalEndUs() - 1, BUCKET_US) * BUCKET_US, ChronoUnit.MICROS);
        double seconds = Math.clamp((report.getIntervalEndUs() - report.getIntervalStartUs()) / 1e6, 0, 60);
        Set<UUID> unknown = new HashSet<>();
        for (FlowCounterDelta delta : report.getDeltasList()) {
            UUID project = project(delta.getLoadBalancerId(), delta.getProjectId(), projects);
            if (project == null
                    || !ResourceId.LISTENER.matches(delta.getListenerId())
                    || !ResourceId.MEMBER.matches(delta.getMemberId())) {
                unknown.add(node.id());
                continue;
            }
            rollup.flows(
                    new Rollup.FlowKey(
                            project,
                            ResourceId.LOAD_BALANCER.parse(delta.getLoadBalancerId()),
                            bucket,
                            node.popId(),
                            ResourceId.LISTENER.parse(delta.getListenerId()),
                            ResourceId.MEMBER.parse(delta.getMemberId())),
                    delta,
                    seconds);
        }
        for (DropDelta drop : report.getDropsList()) {
            if (drop.getLoadBalancerId().isEmpty()) {
                rollup.nodeDrops(new Rollup.NodeDropKey(node.id(), bucket, drop.getReason()), drop.getPackets());
                continue;
            }
            UUID project = project(drop.getLoadBalancerId(), drop.getProjectId(), projects);
            if (project == null) {
                unknown.add(node.id());
            } else {
                rollup.drops(
                        new Rollup.DropKey(
                                project,
                                ResourceId.LOAD_BALANCER.parse(drop.getLoadBalancerId()),
                                bucket,
                                node.popId(),
                                drop.getReason()),
                        drop.getPackets());
            }
        }
        if (!unknown.isEmpty()) {
            directory.drop("metrics", "unknown_load_balancer");
        }
    }

    /** @return the load balancer's own project; null if there is none or the report names another */
    private @Nullable UUID project(String loadBalancerId, String projectId, Map<UUID, @Nullable UUID> projects) {
        if (!ResourceId.LOAD_BALANCER.matches(loadBalancerId)) {
            return null;
        }
        UUID id = ResourceId.LOAD_BALANCER.parse(loadBalancerId);
        if (!projects.containsKey(id)) {
            projects.put(id, store.projectOf(id).orElse(null));
        }
        UUID project = projects.get(id);
        return project != null
                        && (projectId.isEmpty()
                                || ResourceId.PROJECT.format(project).equals(projectId))
                ? project
                : null;
    }

    @Override
    public void tick(int partition) {
        if (System.nanoTime() - maintainedAt < MAINTAIN_EACH.toNanos()) {
            return;
        }
        try {
            store.maintain();
            maintainedAt = System.nanoTime();
        } catch (DataAccessException e) {
            log.atWarn().addKeyValue("cause", e.getMessage()).log("partitions of metrics cannot be made or dropped");
        }
    }
}
