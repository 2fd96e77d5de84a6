// SPDX-License-Identifier: Apache-2.0
package dev.weir.provisioner.follow;

import dev.weir.compiler.ResourceId;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/** Who may report: nodes that exist, each in its own name. */
@Component
public class NodeDirectory {
    private static final Logger log = LoggerFactory.getLogger(NodeDirectory.class);

    public record Node(UUID id, UUID popId) {}

    private final JdbcClient jdbc;
    private final MeterRegistry meters;

    NodeDirectory(JdbcClient jdbc, MeterRegistry meters) {
        this.jdbc = jdbc;
        this.meters = meters;
    }

    /** All nodes, as the surrounding transaction sees them. */
    public Map<UUID, Node> nodes() {
        Map<UUID, Node> nodes = new HashMap<>();
        jdbc.sql("select id, pop_id from nodes where deleted_at is null").query(row -> {
            Node node = new Node(row.getObject(1, UUID.class), row.getObject(2, UUID.class));
            nodes.put(node.id(), node);
        });
        return nodes;
    }

    /** @return the node that a report comes from; empty, counted and logged, if it is none or names another's */
    public Optional<Node> reporter(Map<UUID, Node> nodes, String recordKey, String nodeId, String report) {
        Node node = ResourceId.NODE.matches(nodeId) ? nodes.get(ResourceId.NODE.parse(nodeId)) : null;
        if (node == null || !recordKey.equals(nodeId)) {
            drop(report, "foreign_node");
            log.atWarn()
                    .addKeyValue("report", report)
                    .addKeyValue("key", recordKey)
                    .addKeyValue("node", nodeId)
                    .log("report in the name of a foreign node was dropped");
            return Optional.empty();
        }
        return Optional.of(node);
    }

    public void drop(String report, String reason) {
        meters.counter("weir_provisioner_reports_dropped_total", "report", report, "reason", reason)
                .increment();
    }
}
