// SPDX-License-Identifier: Apache-2.0
package dev.weir.provisioner.health;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.weir.compiler.ResourceId;
import dev.weir.messages.v1.HealthReport;
import dev.weir.messages.v1.MemberHealthReport;
import dev.weir.provisioner.follow.NodeDirectory;
import dev.weir.provisioner.follow.NodeDirectory.Node;
import dev.weir.provisioner.follow.ReportHandler;
import dev.weir.provisioner.kafka.Topic;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.springframework.stereotype.Component;

/** Keeps what each node last said of the members of each load balancer. */
@Component
public final class HealthReports implements ReportHandler {
    private final NodeDirectory directory;
    private final MemberStatusStore store;

    HealthReports(NodeDirectory directory, MemberStatusStore store) {
        this.directory = directory;
        this.store = store;
    }

    @Override
    public Topic topic() {
        return Topic.HEALTH;
    }

    @Override
    public Runnable handle(List<ConsumerRecord<String, byte[]>> records) {
        Map<UUID, Node> nodes = directory.nodes();
        // Each names all members, so of several of one key only the last counts.
        Map<String, Runnable> writes = new LinkedHashMap<>();
        for (ConsumerRecord<String, byte[]> record : records) {
            parse(record)
                    .ifPresent(report -> reporter(nodes, record.key(), report)
                            .ifPresent(node -> writes.put(record.key(), () -> store.replace(node, report))));
        }
        writes.values().forEach(Runnable::run);
        return () -> {};
    }

    private Optional<HealthReport> parse(ConsumerRecord<String, byte[]> record) {
        try {
            HealthReport report = HealthReport.parseFrom(record.value());
            if (isSound(report)) {
                return Optional.of(report);
            }
        } catch (InvalidProtocolBufferException e) {
            // Counted below.
        }
        directory.drop("health", "malformed");
        return Optional.empty();
    }

    private static boolean isSound(HealthReport report) {
        return ResourceId.LOAD_BALANCER.matches(report.getLoadBalancerId())
                && report.getMembersList().stream().allMatch(HealthReports::isSound);
    }

    private static boolean isSound(MemberHealthReport member) {
        return ResourceId.MEMBER.matches(member.getMemberId()) && ResourceId.POOL.matches(member.getPoolId());
    }

    private Optional<Node> reporter(Map<UUID, Node> nodes, String key, HealthReport report) {
        int slash = key.indexOf('/');
        String reporter = slash < 0 ? key : key.substring(0, slash);
        return directory
                .reporter(nodes, reporter, report.getNodeId(), "health")
                .filter(node -> key.substring(slash + 1).equals(report.getLoadBalancerId()));
    }
}
