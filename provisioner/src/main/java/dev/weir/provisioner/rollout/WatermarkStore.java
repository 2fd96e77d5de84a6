// SPDX-License-Identifier: Apache-2.0
package dev.weir.provisioner.rollout;

import dev.weir.compiler.ResourceId;
import dev.weir.messages.v1.DrainingKey;
import dev.weir.messages.v1.NodeWatermark;
import dev.weir.messages.v1.PartitionWatermark;
import dev.weir.messages.v1.RejectedKey;
import dev.weir.provisioner.SqlArrays;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/** Nodes' reports as rows: by node and partition, never by load balancer, but for what is rejected. */
@Component
class WatermarkStore {
    private static final double SILENCE_S = Watermarks.SILENCE.toSeconds();

    private final JdbcClient jdbc;

    WatermarkStore(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    /** @return whether the node was silent until now */
    boolean putReport(UUID nodeId, NodeWatermark watermark, Instant receivedAt) {
        Optional<OffsetDateTime> seenBefore = jdbc.sql(
                        "select last_seen_at from node_reports where node_id = ? for update")
                .param(nodeId)
                .query(OffsetDateTime.class)
                .optional();
        jdbc.sql("""
                        insert into node_reports (node_id, last_seen_at, agent_start_id, engine_start_id, agent_version,
                            engine_version, features, engine_ready, topic_id, node_config_sequence)
                        values (?, least(?, clock_timestamp()), ?, ?, ?, ?, string_to_array(?, ','), ?, ?, ?)
                        on conflict (node_id) do update set last_seen_at = excluded.last_seen_at,
                            agent_start_id = excluded.agent_start_id, engine_start_id = excluded.engine_start_id,
                            agent_version = excluded.agent_version, engine_version = excluded.engine_version,
                            features = excluded.features, engine_ready = excluded.engine_ready,
                            topic_id = excluded.topic_id, node_config_sequence = excluded.node_config_sequence
                        """)
                .params(
                        nodeId,
                        receivedAt.atOffset(ZoneOffset.UTC),
                        watermark.getAgentStartId(),
                        unsigned(watermark.getEngineStartId()),
                        watermark.getAgentVersion(),
                        watermark.getEngineVersion(),
                        String.join(",", watermark.getFeaturesList()),
                        watermark.getEngineReady(),
                        watermark.getTopicId(),
                        watermark.getNodeConfigSequence())
                .update();
        return seenBefore
                .map(at -> at.toInstant().isBefore(receivedAt.minus(Watermarks.SILENCE)))
                .orElse(true);
    }

    private static BigDecimal unsigned(long value) {
        return new BigDecimal(new BigInteger(Long.toUnsignedString(value)));
    }

    Map<Integer, Long> positions(UUID nodeId) {
        Map<Integer, Long> positions = new HashMap<>();
        jdbc.sql("select partition, position from node_watermarks where node_id = ?")
                .param(nodeId)
                .query(row -> {
                    positions.put(row.getInt(1), row.getLong(2));
                });
        return positions;
    }

    void putPosition(UUID nodeId, PartitionWatermark watermark, long position) {
        jdbc.sql("""
                        insert into node_watermarks (node_id, partition, position, epoch, applied_at)
                        values (?, ?, ?, ?, ?)
                        on conflict (node_id, partition) do update set position = excluded.position,
                            epoch = excluded.epoch, applied_at = excluded.applied_at
                        """)
                .params(
                        nodeId,
                        watermark.getPartition(),
                        position,
                        watermark.getEpoch(),
                        Instant.EPOCH
                                .plus(watermark.getAppliedAtUs(), ChronoUnit.MICROS)
                                .atOffset(ZoneOffset.UTC))
                .update();
    }

    List<UUID> loadBalancersBetween(int partition, long from, long to) {
        return jdbc.sql("""
                        select distinct load_balancer_id from published_records
                        where partition = ? and log_offset >= ? and log_offset < ?
                        """).params(partition, from, to).query(UUID.class).list();
    }

    List<UUID> loadBalancersPlacedOn(Collection<UUID> popIds) {
        return jdbc.sql("select distinct load_balancer_id from published_records where pop_ids && ?::uuid[]")
                .param(SqlArrays.uuids(popIds))
                .query(UUID.class)
                .list();
    }

    List<UUID> popsOf(Collection<UUID> nodeIds) {
        return jdbc.sql("select distinct pop_id from nodes where id = any(?::uuid[])")
                .param(SqlArrays.uuids(nodeIds))
                .query(UUID.class)
                .list();
    }

    List<UUID> reachableNodes() {
        return jdbc.sql("""
                        select node_id from node_reports
                        where last_seen_at > clock_timestamp() - make_interval(secs => ?)
                        """).param(SILENCE_S).query(UUID.class).list();
    }

    private record Drain(long position, long deadlineUs) {}

    /** @return load balancers of which flows began or ended to drain on this node */
    Set<UUID> putDrains(UUID nodeId, List<DrainingKey> draining) {
        Map<UUID, Drain> before = new HashMap<>();
        jdbc.sql("""
                        select load_balancer_id, position, (extract(epoch from deadline_at) * 1000000)::bigint
                        from node_drains where node_id = ?
                        """).param(nodeId).query(row -> {
            before.put(row.getObject(1, UUID.class), new Drain(row.getLong(2), row.getLong(3)));
        });
        Map<UUID, Drain> now = new HashMap<>();
        draining.forEach(key -> now.put(
                ResourceId.LOAD_BALANCER.parse(key.getKey()), new Drain(key.getPosition(), key.getDeadlineUs())));
        Set<UUID> changed = new HashSet<>(before.keySet());
        changed.addAll(now.keySet());
        changed.removeIf(id -> before.containsKey(id) && before.get(id).equals(now.get(id)));
        for (UUID id : changed) {
            Drain drain = now.get(id);
            if (drain == null) {
                jdbc.sql("delete from node_drains where node_id = ? and load_balancer_id = ?")
                        .params(nodeId, id)
                        .update();
            } else {
                put(nodeId, id, drain);
            }
        }
        return changed;
    }

    /** The project is that of what was published; a node's word is not taken for it. */
    private void put(UUID nodeId, UUID loadBalancerId, Drain drain) {
        jdbc.sql("""
                        insert into node_drains (project_id, load_balancer_id, node_id, position, deadline_at)
                        select distinct r.project_id, r.load_balancer_id, cast(? as uuid), cast(? as bigint),
                            cast(? as timestamptz)
                        from published_records r where r.load_balancer_id = ?
                        on conflict (project_id, load_balancer_id, node_id) do update
                        set position = excluded.position, deadline_at = excluded.deadline_at
                        """)
                .params(
                        nodeId,
                        drain.position(),
                        Instant.EPOCH
                                .plus(drain.deadlineUs(), ChronoUnit.MICROS)
                                .atOffset(ZoneOffset.UTC),
                        loadBalancerId)
                .update();
    }

    private record Rejection(long epoch, long sequence, String code, String reason, long runningGeneration) {}

    /** @return load balancers whose rejection by this node changed */
    Set<UUID> putRejections(UUID nodeId, List<RejectedKey> rejected) {
        Map<UUID, Rejection> before = new HashMap<>();
        jdbc.sql("""
                        select load_balancer_id, epoch, sequence, code, reason, running_generation
                        from node_rejections where node_id = ?
                        """).param(nodeId).query(row -> {
            before.put(
                    row.getObject(1, UUID.class),
                    new Rejection(row.getLong(2), row.getLong(3), row.getString(4), row.getString(5), row.getLong(6)));
        });
        Map<UUID, Rejection> now = new HashMap<>();
        for (RejectedKey key : rejected) {
            now.put(
                    ResourceId.LOAD_BALANCER.parse(key.getKey()),
                    new Rejection(
                            key.getEpoch(),
                            key.getSequence(),
                            key.getCode(),
                            key.getReason(),
                            key.getRunningGeneration()));
        }
        Set<UUID> changed = new HashSet<>(before.keySet());
        changed.addAll(now.keySet());
        changed.removeIf(id -> before.containsKey(id) && before.get(id).equals(now.get(id)));
        for (UUID id : changed) {
            Rejection rejection = now.get(id);
            if (rejection == null) {
                jdbc.sql("delete from node_rejections where node_id = ? and load_balancer_id = ?")
                        .params(nodeId, id)
                        .update();
            } else {
                put(nodeId, id, rejection);
            }
        }
        return changed;
    }

    /** The project is the load balancer's own; a node's word is not taken for it. */
    private void put(UUID nodeId, UUID loadBalancerId, Rejection rejection) {
        jdbc.sql("""
                        insert into node_rejections (project_id, load_balancer_id, node_id, epoch, sequence, code,
                            reason, running_generation)
                        select b.project_id, b.id, ?, ?, ?, ?, ?, ? from load_balancers b where b.id = ?
                        on conflict (project_id, load_balancer_id, node_id) do update set epoch = excluded.epoch,
                            sequence = excluded.sequence, code = excluded.code, reason = excluded.reason,
                            running_generation = excluded.running_generation, rejected_at = now()
                        """)
                .params(
                        nodeId,
                        rejection.epoch(),
                        rejection.sequence(),
                        rejection.code(),
                        rejection.reason(),
                        rejection.runningGeneration(),
                        loadBalancerId)
                .update();
    }
}
