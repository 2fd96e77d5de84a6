// SPDX-License-Identifier: Apache-2.0
package dev.weir.db.rollout;

import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;

/** What nodes see of a load balancer's members. */
public final class MemberStatusRows {
    private final JdbcClient jdbc;

    public MemberStatusRows(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    /** A member as one node sees it. {@code reason} is empty before the first probe. */
    public record Seen(
            UUID memberId,
            UUID popId,
            String operatingStatus,
            String reason,
            @Nullable Instant lastProbeAt,
            long rttUs,
            @Nullable Instant since,
            long activeFlows,
            @Nullable Instant drainDeadline) {}

    /** Of the nodes that can be reached. */
    public List<Seen> of(UUID projectId, UUID loadBalancerId) {
        return jdbc.sql("""
                select m.member_id, m.pop_id, m.operating_status, m.reason, m.last_probe_at, m.rtt_us, m.since,
                    m.active_flows, m.drain_deadline
                from member_status m
                join node_reports r on r.node_id = m.node_id
                where m.project_id = ? and m.load_balancer_id = ?
                    and r.last_seen_at > clock_timestamp() - interval '10 seconds'""")
                .param(projectId)
                .param(loadBalancerId)
                .query((row, n) -> new Seen(
                        row.getObject("member_id", UUID.class),
                        row.getObject("pop_id", UUID.class),
                        row.getString("operating_status"),
                        row.getString("reason"),
                        RolloutRows.instant(row, "last_probe_at"),
                        row.getLong("rtt_us"),
                        RolloutRows.instant(row, "since"),
                        row.getLong("active_flows"),
                        RolloutRows.instant(row, "drain_deadline")))
                .list();
    }
}
