// SPDX-License-Identifier: Apache-2.0
package dev.weir.db.rollout;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.json.JsonMapper;

/** How far the nodes have come with one load balancer. */
public final class RolloutRows {
    /** A node that says nothing for longer is not waited for. */
    private static final int SILENCE_S = 10;

    private final JdbcClient jdbc;

    public RolloutRows(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    /**
     * @param observedGeneration the highest that all reachable placed nodes run; 0: none yet
     * @param refusedGeneration one that could not be compiled after all; null: none
     * @param refusedReason why, in a sentence; null with it
     * @param pendingSince since when a change waits to be published; null: none does
     */
    public record Progress(
            long observedGeneration,
            @Nullable Long refusedGeneration,
            @Nullable String refusedReason,
            @Nullable Instant pendingSince) {}

    /** A record that is in the log. */
    public record Published(
            long epoch,
            long sequence,
            int partition,
            long offset,
            long generation,
            Set<UUID> popIds,
            @Nullable Long stableGeneration,
            Set<UUID> candidatePopIds,
            @Nullable Instant publishedAt) {

        /** What the nodes of a PoP run that the record is placed on. */
        public long generationAt(UUID popId) {
            return stableGeneration == null || candidatePopIds.contains(popId) ? generation : stableGeneration;
        }
    }

    /** The newest revision's way through the PoPs. */
    public record Staged(
            String state,
            String reason,
            long stableGeneration,
            long candidateGeneration,
            int wave,
            List<UUID> popIds,
            int popsTotal,
            Instant startedAt,
            Instant waveStartedAt,
            @Nullable Instant endedAt) {}

    /**
     * A node, and how far it has come in one partition.
     *
     * @param position every record below it has been dealt with; 0: nothing was said
     */
    public record NodeProgress(
            UUID nodeId,
            String nodeName,
            UUID popId,
            String popName,
            boolean reachable,
            @Nullable Instant lastSeenAt,
            long position,
            @Nullable Instant appliedAt,
            @Nullable Rejection rejection) {}

    /** @param runningGeneration what goes on running there; 0: nothing */
    public record Rejection(long epoch, long sequence, String code, String reason, long runningGeneration) {}

    public Progress progress(UUID projectId, UUID loadBalancerId) {
        return jdbc.sql("""
                select s.observed_generation, s.refused_generation,
                    s.refused_faults #>> '{0,message}' as refused_reason,
                    (select min(o.created_at) from outbox o where o.key = k.id and o.state = 'pending') as pending_since
                from (select cast(:project_id as uuid) as project_id, cast(:id as uuid) as id) k
                left join load_balancer_status s on s.project_id = k.project_id and s.load_balancer_id = k.id""")
                .param("project_id", projectId)
                .param("id", loadBalancerId)
                .query((row, n) -> new Progress(
                        row.getLong("observed_generation"),
                        row.getObject("refused_generation", Long.class),
                        row.getString("refused_reason"),
                        instant(row, "pending_since")))
                .single();
    }

    /** Newest first. */
    public List<Published> published(UUID projectId, UUID loadBalancerId) {
        return jdbc.sql("""
                select epoch, sequence, partition, log_offset, generation, pop_ids, stable_generation,
                    candidate_pop_ids, published_at
                from published_records
                where project_id = ? and load_balancer_id = ? and log_offset is not null
                order by epoch desc, sequence desc""")
                .param(projectId)
                .param(loadBalancerId)
                .query((row, n) -> new Published(
                        row.getLong("epoch"),
                        row.getLong("sequence"),
                        row.getInt("partition"),
                        row.getLong("log_offset"),
                        row.getLong("generation"),
                        Set.of((UUID[]) row.getArray("pop_ids").getArray()),
                        row.getObject("stable_generation", Long.class),
                        Set.of((UUID[]) row.getArray("candidate_pop_ids").getArray()),
                        instant(row, "published_at")))
                .list();
    }

    /** Empty if the newest revision went to all PoPs at once. */
    public Optional<Staged> staged(UUID projectId, UUID loadBalancerId) {
        return jdbc.sql("""
                select s.state, s.reason, s.stable_generation, s.candidate_generation, s.wave, s.pop_ids,
                    cardinality(s.all_pop_ids) as pops_total, s.started_at, s.wave_started_at, s.ended_at
                from staged_rollouts s
                join load_balancers b on b.project_id = s.project_id and b.id = s.load_balancer_id
                    and b.revision_id = s.candidate_revision_id
                where s.project_id = ? and s.load_balancer_id = ?""")
                .param(projectId)
                .param(loadBalancerId)
                .query((row, n) -> new Staged(
                        row.getString("state"),
                        row.getString("reason"),
                        row.getLong("stable_generation"),
                        row.getLong("candidate_generation"),
                        row.getInt("wave"),
                        List.of((UUID[]) row.getArray("pop_ids").getArray()),
                        row.getInt("pops_total"),
                        row.getTimestamp("started_at").toInstant(),
                        row.getTimestamp("wave_started_at").toInstant(),
                        instant(row, "ended_at")))
                .optional();
    }

    /**
     * Ends or stops the staged rollout of the newest revision, by a person's word.
     *
     * @param state {@code stopped}, {@code promoted} or {@code reverted}
     * @return whether there was one that goes on
     */
    public boolean settleStaged(UUID projectId, UUID loadBalancerId, String state, String reason) {
        return jdbc.sql("""
                update staged_rollouts s
                set state = :state, reason = :reason,
                    ended_at = case when :state = 'stopped' then null else clock_timestamp() end
                from load_balancers b
                where s.project_id = :project_id and s.load_balancer_id = :id and s.state in ('running', 'stopped')
                    and b.project_id = s.project_id and b.id = s.load_balancer_id
                    and b.revision_id = s.candidate_revision_id""")
                        .param("state", state)
                        .param("reason", reason)
                        .param("project_id", projectId)
                        .param("id", loadBalancerId)
                        .update()
                == 1;
    }

    /** By pool, how many slots its Maglev table has in the newest record; empty before the first. */
    public Map<UUID, Integer> maglevTableSizes(UUID projectId, UUID loadBalancerId) {
        return jdbc.sql("""
                select maglev_table_sizes::text from published_records
                where project_id = ? and load_balancer_id = ? order by epoch desc, sequence desc limit 1""")
                .param(projectId)
                .param(loadBalancerId)
                .query(String.class)
                .optional()
                .map(text -> JsonMapper.shared().readValue(text, new TypeReference<Map<UUID, Integer>>() {}))
                .orElse(Map.of());
    }

    /** @param partition of the load balancer; null while it was never published */
    public List<NodeProgress> nodes(
            UUID projectId, UUID loadBalancerId, Collection<UUID> popIds, @Nullable Integer partition) {
        return jdbc.sql("""
                select n.id, n.name, n.pop_id, p.name as pop_name, r.last_seen_at,
                    coalesce(r.last_seen_at > clock_timestamp() - make_interval(secs => :silence_s), false) as reachable,
                    least(coalesce(w.position, 0), d.position) as position, w.applied_at,
                    x.epoch, x.sequence, x.code, x.reason, x.running_generation
                from nodes n
                join pops p on p.id = n.pop_id
                left join node_reports r on r.node_id = n.id
                left join node_watermarks w on w.node_id = n.id and w.partition = cast(:partition as integer)
                left join node_drains d on d.project_id = :project_id and d.load_balancer_id = :id and d.node_id = n.id
                left join node_rejections x on x.project_id = :project_id and x.load_balancer_id = :id and x.node_id = n.id
                where n.deleted_at is null and n.pop_id = any (:pop_ids)
                order by p.name, n.name""")
                .param("silence_s", (double) SILENCE_S)
                .param("partition", partition)
                .param("project_id", projectId)
                .param("id", loadBalancerId)
                .param("pop_ids", popIds.toArray(UUID[]::new))
                .query((row, n) -> new NodeProgress(
                        row.getObject("id", UUID.class),
                        row.getString("name"),
                        row.getObject("pop_id", UUID.class),
                        row.getString("pop_name"),
                        row.getBoolean("reachable"),
                        instant(row, "last_seen_at"),
                        row.getLong("position"),
                        instant(row, "applied_at"),
                        rejection(row).orElse(null)))
                .list();
    }

    private static Optional<Rejection> rejection(ResultSet row) throws SQLException {
        String code = row.getString("code");
        return code == null
                ? Optional.empty()
                : Optional.of(new Rejection(
                        row.getLong("epoch"),
                        row.getLong("sequence"),
                        code,
                        row.getString("reason"),
                        row.getLong("running_generation")));
    }

    static @Nullable Instant instant(ResultSet row, String column) throws SQLException {
        Timestamp time = row.getTimestamp(column);
        return time == null ? null : time.toInstant();
    }
}
