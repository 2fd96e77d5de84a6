// SPDX-License-Identifier: Apache-2.0
package dev.weir.provisioner.rollout;

import dev.weir.provisioner.SqlArrays;
import dev.weir.provisioner.rollout.WaveSignals.Flows;
import dev.weir.provisioner.rollout.WaveSignals.Members;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/** Reads what a rollout is judged by. */
@Component
class WaveSignalStore {
    private static final Duration BEFORE = Duration.ofMinutes(5);

    /** Counters are summed over so long; a sum is whole a little after its end. */
    private static final Duration BUCKET = Duration.ofSeconds(10);

    private record Times(
            Instant now,
            Instant began,
            Instant wave,
            @Nullable Instant applied,
            double unhealthyBefore) {}

    private record Nodes(
            int reachable, int applied, @Nullable String refusal) {}

    private final JdbcClient jdbc;

    WaveSignalStore(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    /** Empty until the record of the newest wave is in the log. */
    Optional<WaveSignals> read(StagedRollout rollout) {
        UUID id = rollout.loadBalancerId();
        List<UUID> wave = rollout.candidatePopIds();
        List<UUID> elsewhere =
                rollout.allPopIds().stream().filter(pop -> !wave.contains(pop)).toList();
        return nodes(id, wave).map(nodes -> {
            Times times = times(id);
            Instant applied = times.applied();
            Instant since = applied == null ? times.now() : applied;
            return new WaveSignals(
                    Duration.between(times.wave(), times.now()),
                    applied == null ? null : Duration.between(applied, times.now()),
                    nodes.reachable(),
                    nodes.applied(),
                    nodes.refusal(),
                    reported(rollout, wave),
                    members(rollout, wave, rollout.candidateGeneration()),
                    members(rollout, elsewhere, 0),
                    times.unhealthyBefore(),
                    flows(id, wave, since, times.now()),
                    flows(id, wave, times.began().minus(BEFORE), times.began()),
                    flows(id, elsewhere, since, times.now()),
                    flows(id, elsewhere, times.began().minus(BEFORE), times.began()));
        });
    }

    private Times times(UUID id) {
        return jdbc.sql("""
                        select clock_timestamp() as now, started_at, wave_started_at, wave_applied_at, unhealthy_before
                        from staged_rollouts where load_balancer_id = ?
                        """)
                .param(id)
                .query((row, n) -> {
                    OffsetDateTime applied = row.getObject("wave_applied_at", OffsetDateTime.class);
                    return new Times(
                            row.getObject("now", OffsetDateTime.class).toInstant(),
                            row.getObject("started_at", OffsetDateTime.class).toInstant(),
                            row.getObject("wave_started_at", OffsetDateTime.class)
                                    .toInstant(),
                            applied == null ? null : applied.toInstant(),
                            row.getDouble("unhealthy_before"));
                })
                .single();
    }

    private Optional<Nodes> nodes(UUID id, List<UUID> wave) {
        return jdbc.sql("""
                        select count(n.id) as reachable,
                            count(n.id) filter (where w.position > r.log_offset and x.code is null) as applied,
                            min(x.reason) as refusal
                        from (
                            select * from published_records where load_balancer_id = :id
                            order by epoch desc, sequence desc limit 1
                        ) r
                        left join (nodes n join node_reports s on s.node_id = n.id)
                            on n.pop_id = any (:pops::uuid[]) and n.deleted_at is null
                                and s.last_seen_at > clock_timestamp() - make_interval(secs => :silence)
                        left join node_watermarks w on w.node_id = n.id and w.partition = r.partition
                        left join node_rejections x on x.load_balancer_id = r.load_balancer_id and x.node_id = n.id
                            and (x.epoch, x.sequence) >= (r.epoch, r.sequence)
                        where r.log_offset is not null and r.candidate_pop_ids = :pops::uuid[]
                        group by r.sequence
                        """)
                .param("id", id)
                .param("pops", SqlArrays.uuids(wave))
                .param("silence", (double) Watermarks.SILENCE.toSeconds())
                .query((row, n) -> new Nodes(row.getInt("reachable"), row.getInt("applied"), row.getString("refusal")))
                .optional();
    }

    private int reported(StagedRollout rollout, List<UUID> popIds) {
        return jdbc.sql("""
                        select count(distinct node_id) from member_status
                        where load_balancer_id = ? and pop_id = any(?::uuid[]) and generation >= ?
                        """)
                .params(rollout.loadBalancerId(), SqlArrays.uuids(popIds), rollout.candidateGeneration())
                .query(Integer.class)
                .single();
    }

    /** @param generation what nodes said under an earlier one does not count */
    private Members members(StagedRollout rollout, List<UUID> popIds, long generation) {
        return jdbc.sql("""
                        select count(*) filter (where operating_status = 'healthy'),
                            count(*) filter (where operating_status = 'unhealthy'),
                            count(*) filter (where operating_status = 'unknown')
                        from member_status
                        where load_balancer_id = ? and pop_id = any(?::uuid[]) and generation >= ?
                        """)
                .params(rollout.loadBalancerId(), SqlArrays.uuids(popIds), generation)
                .query((row, n) -> new Members(row.getInt(1), row.getInt(2), row.getInt(3)))
                .single();
    }

    /** Of the sums that lie within the time whole. */
    private Flows flows(UUID id, List<UUID> popIds, Instant from, Instant to) {
        long step = BUCKET.toSeconds();
        Instant first = Instant.ofEpochSecond(Math.ceilDiv(from.getEpochSecond(), step) * step);
        Instant end = Instant.ofEpochSecond(Math.floorDiv(to.getEpochSecond(), step) * step);
        if (!first.isBefore(end)) {
            return new Flows(0, 0, 0, 0);
        }
        return jdbc.sql("""
                        select coalesce(sum(new_flows), 0),
                            coalesce(sum(ended_fin + ended_rst + ended_timeout + ended_evicted), 0),
                            coalesce(sum(ended_rst), 0)
                        from metrics_10s
                        where load_balancer_id = ? and pop_id = any(?::uuid[]) and bucket >= ? and bucket < ?
                        """)
                .params(id, SqlArrays.uuids(popIds), first.atOffset(ZoneOffset.UTC), end.atOffset(ZoneOffset.UTC))
                .query((row, n) -> new Flows(
                        row.getLong(1),
                        row.getLong(2),
                        row.getLong(3),
                        Duration.between(first, end).toSeconds()))
                .single();
    }
}
