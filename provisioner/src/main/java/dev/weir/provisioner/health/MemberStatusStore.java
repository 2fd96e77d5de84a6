// SPDX-License-Identifier: Apache-2.0
package dev.weir.provisioner.health;

import dev.weir.compiler.ResourceId;
import dev.weir.messages.v1.HealthReport;
import dev.weir.messages.v1.MemberHealthReport;
import dev.weir.messages.v1.OperatingStatus;
import dev.weir.provisioner.SqlArrays;
import dev.weir.provisioner.follow.NodeDirectory.Node;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/** The newest word of each node about each member. */
@Component
class MemberStatusStore {
    private final JdbcClient jdbc;

    MemberStatusStore(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    /** Members that the report does not name are no longer the node's. */
    void replace(Node node, HealthReport report) {
        UUID loadBalancerId = ResourceId.LOAD_BALANCER.parse(report.getLoadBalancerId());
        // The project is the load balancer's own; a node's word is not taken for it.
        Optional<UUID> project = jdbc.sql("select project_id from load_balancers where id = ? and deleted_at is null")
                .param(loadBalancerId)
                .query(UUID.class)
                .optional();
        List<UUID> members = project.isEmpty()
                ? List.of()
                : report.getMembersList().stream()
                        .map(member -> ResourceId.MEMBER.parse(member.getMemberId()))
                        .toList();
        jdbc.sql("""
                        delete from member_status
                        where load_balancer_id = ? and node_id = ? and member_id <> all (?::uuid[])
                        """)
                .params(loadBalancerId, node.id(), SqlArrays.uuids(members))
                .update();
        project.ifPresent(projectId ->
                report.getMembersList().forEach(member -> put(projectId, loadBalancerId, node, report, member)));
    }

    private void put(UUID projectId, UUID loadBalancerId, Node node, HealthReport report, MemberHealthReport member) {
        jdbc.sql("""
                        insert into member_status (project_id, load_balancer_id, pool_id, member_id, pop_id, node_id,
                            operating_status, reason, last_probe_at, rtt_us, since, active_flows, drain_deadline,
                            generation, reported_at)
                        values (?, ?, ?, ?, ?, ?, ?, ?, ?::timestamptz, ?, ?::timestamptz, ?, ?::timestamptz, ?,
                            clock_timestamp())
                        on conflict (project_id, load_balancer_id, member_id, node_id) do update set
                            pool_id = excluded.pool_id, pop_id = excluded.pop_id,
                            operating_status = excluded.operating_status, reason = excluded.reason,
                            last_probe_at = excluded.last_probe_at, rtt_us = excluded.rtt_us, since = excluded.since,
                            active_flows = excluded.active_flows, drain_deadline = excluded.drain_deadline,
                            generation = excluded.generation, reported_at = excluded.reported_at
                        """)
                .param(projectId)
                .param(loadBalancerId)
                .param(ResourceId.POOL.parse(member.getPoolId()))
                .param(ResourceId.MEMBER.parse(member.getMemberId()))
                .param(node.popId())
                .param(node.id())
                .param(column(member.getStatus()))
                .param(member.getReason())
                .param(time(member.getLastProbeUs()))
                .param(Integer.toUnsignedLong(member.getRttUs()))
                .param(time(member.getSinceUs()))
                .param(member.getActiveFlows())
                .param(time(member.getDrainDeadlineUs()))
                .param(report.getGeneration())
                .update();
    }

    private static String column(OperatingStatus status) {
        return switch (status) {
            case OPERATING_STATUS_HEALTHY -> "healthy";
            case OPERATING_STATUS_UNHEALTHY -> "unhealthy";
            case OPERATING_STATUS_UNMONITORED -> "unmonitored";
            case OPERATING_STATUS_DRAINING -> "draining";
            case OPERATING_STATUS_DISABLED -> "disabled";
            case OPERATING_STATUS_UNKNOWN, OPERATING_STATUS_UNSPECIFIED, UNRECOGNIZED -> "unknown";
        };
    }

    private static @Nullable OffsetDateTime time(long us) {
        return us == 0 ? null : Instant.EPOCH.plus(us, ChronoUnit.MICROS).atOffset(ZoneOffset.UTC);
    }
}
