// SPDX-License-Identifier: Apache-2.0
package dev.weir.db.metrics;

import java.sql.Timestamp;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.springframework.jdbc.core.simple.JdbcClient;

/** Traffic counters by PoP, listener and member. */
public final class MetricsRows {
    private final JdbcClient jdbc;

    public MetricsRows(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    /** @param activeFlows the mean over the step */
    public record Row(
            Instant time,
            UUID popId,
            UUID listenerId,
            UUID memberId,
            long inPackets,
            long inBytes,
            long outPackets,
            long outBytes,
            long newFlows,
            long endedFin,
            long endedRst,
            long endedTimeout,
            long endedEvicted,
            double activeFlows) {}

    /** Sums by steps of a multiple of 10 seconds, from a step's start to another's. */
    public List<Row> sums(UUID projectId, UUID loadBalancerId, Instant from, Instant to, Duration step) {
        return jdbc.sql("""
                select date_bin(make_interval(secs => :step_s), bucket, timestamptz 'epoch') as time,
                    pop_id, listener_id, member_id,
                    sum(in_packets)::bigint as in_packets, sum(in_bytes)::bigint as in_bytes,
                    sum(out_packets)::bigint as out_packets, sum(out_bytes)::bigint as out_bytes,
                    sum(new_flows)::bigint as new_flows, sum(ended_fin)::bigint as ended_fin,
                    sum(ended_rst)::bigint as ended_rst, sum(ended_timeout)::bigint as ended_timeout,
                    sum(ended_evicted)::bigint as ended_evicted,
                    sum(active_flow_seconds) / :step_s as active_flows
                from metrics_10s
                where project_id = :project_id and load_balancer_id = :id and bucket >= :from and bucket < :to
                group by 1, 2, 3, 4
                order by 1, 2, 3, 4""")
                .param("step_s", (double) step.toSeconds())
                .param("project_id", projectId)
                .param("id", loadBalancerId)
                .param("from", Timestamp.from(from))
                .param("to", Timestamp.from(to))
                .query((row, n) -> new Row(
                        row.getTimestamp("time").toInstant(),
                        row.getObject("pop_id", UUID.class),
                        row.getObject("listener_id", UUID.class),
                        row.getObject("member_id", UUID.class),
                        row.getLong("in_packets"),
                        row.getLong("in_bytes"),
                        row.getLong("out_packets"),
                        row.getLong("out_bytes"),
                        row.getLong("new_flows"),
                        row.getLong("ended_fin"),
                        row.getLong("ended_rst"),
                        row.getLong("ended_timeout"),
                        row.getLong("ended_evicted"),
                        row.getDouble("active_flows")))
                .list();
    }
}
