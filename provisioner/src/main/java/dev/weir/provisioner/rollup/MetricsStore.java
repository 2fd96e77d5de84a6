// SPDX-License-Identifier: Apache-2.0
package dev.weir.provisioner.rollup;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/** Rows of ten seconds, and the cursors that let each report count once. */
@Component
class MetricsStore {
    private final JdbcClient jdbc;
    private final JdbcTemplate batches;

    MetricsStore(JdbcClient jdbc, JdbcTemplate batches) {
        this.jdbc = jdbc;
        this.batches = batches;
    }

    /** @return false if this report, or a later one of its epoch, was applied before */
    boolean advanceCursor(UUID nodeId, long counterEpoch, long sequence) {
        return jdbc.sql("""
                                insert into metrics_cursors as c (node_id, counter_epoch, sequence) values (?, ?, ?)
                                on conflict (node_id, counter_epoch) do update
                                set sequence = excluded.sequence, updated_at = now()
                                where c.sequence < excluded.sequence
                                """)
                        .params(nodeId, new BigDecimal(new BigInteger(Long.toUnsignedString(counterEpoch))), sequence)
                        .update()
                == 1;
    }

    Optional<UUID> projectOf(UUID loadBalancerId) {
        return jdbc.sql("select project_id from load_balancers where id = ?")
                .param(loadBalancerId)
                .query(UUID.class)
                .optional();
    }

    void write(Rollup rollup) {
        List<Object[]> flows = rollup.flows().entrySet().stream()
                .map(entry -> new Object[] {
                    entry.getKey().projectId(),
                    entry.getKey().loadBalancerId(),
                    time(entry.getKey().bucket()),
                    entry.getKey().popId(),
                    entry.getKey().listenerId(),
                    entry.getKey().memberId(),
                    entry.getValue().inPackets(),
                    entry.getValue().inBytes(),
                    entry.getValue().outPackets(),
                    entry.getValue().outBytes(),
                    entry.getValue().newFlows(),
                    entry.getValue().endedFin(),
                    entry.getValue().endedRst(),
                    entry.getValue().endedTimeout(),
                    entry.getValue().endedEvicted(),
                    entry.getValue().activeFlowSeconds()
                })
                .toList();
        if (!flows.isEmpty()) {
            batches.batchUpdate("""
                    insert into metrics_10s as m (project_id, load_balancer_id, bucket, pop_id, listener_id, member_id,
                        in_packets, in_bytes, out_packets, out_bytes, new_flows, ended_fin, ended_rst, ended_timeout,
                        ended_evicted, active_flow_seconds)
                    values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                    on conflict (project_id, load_balancer_id, bucket, pop_id, listener_id, member_id) do update set
                        in_packets = m.in_packets + excluded.in_packets,
                        in_bytes = m.in_bytes + excluded.in_bytes,
                        out_packets = m.out_packets + excluded.out_packets,
                        out_bytes = m.out_bytes + excluded.out_bytes,
                        new_flows = m.new_flows + excluded.new_flows,
                        ended_fin = m.ended_fin + excluded.ended_fin,
                        ended_rst = m.ended_rst + excluded.ended_rst,
                        ended_timeout = m.ended_timeout + excluded.ended_timeout,
                        ended_evicted = m.ended_evicted + excluded.ended_evicted,
                        active_flow_seconds = m.active_flow_seconds + excluded.active_flow_seconds
                    """, flows);
        }
        List<Object[]> drops = rollup.drops().entrySet().stream()
                .map(entry -> new Object[] {
                    entry.getKey().projectId(),
                    entry.getKey().loadBalancerId(),
                    time(entry.getKey().bucket()),
                    entry.getKey().popId(),
                    entry.getKey().reason(),
                    entry.getValue()
                })
                .toList();
        if (!drops.isEmpty()) {
            batches.batchUpdate("""
                    insert into drops_10s as d (project_id, load_balancer_id, bucket, pop_id, reason, packets)
                    values (?, ?, ?, ?, ?, ?)
                    on conflict (project_id, load_balancer_id, bucket, pop_id, reason)
                    do update set packets = d.packets + excluded.packets
                    """, drops);
        }
        List<Object[]> nodeDrops = rollup.nodeDrops().entrySet().stream()
                .map(entry -> new Object[] {
                    entry.getKey().nodeId(),
                    time(entry.getKey().bucket()),
                    entry.getKey().reason(),
                    entry.getValue()
                })
                .toList();
        if (!nodeDrops.isEmpty()) {
            batches.batchUpdate("""
                    insert into node_drops_10s as d (node_id, bucket, reason, packets) values (?, ?, ?, ?)
                    on conflict (node_id, bucket, reason) do update set packets = d.packets + excluded.packets
                    """, nodeDrops);
        }
    }

    /** Rows are kept for 24 hours. */
    void maintain() {
        jdbc.sql("select maintain_metrics_partitions(interval '24 hours')").query(row -> {});
        jdbc.sql("delete from metrics_cursors where updated_at < now() - interval '2 days'")
                .update();
    }

    private static OffsetDateTime time(Instant instant) {
        return instant.atOffset(ZoneOffset.UTC);
    }
}
