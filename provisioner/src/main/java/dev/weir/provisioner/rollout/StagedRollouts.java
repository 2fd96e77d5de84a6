// SPDX-License-Identifier: Apache-2.0
package dev.weir.provisioner.rollout;

import dev.weir.compiler.PopSite;
import dev.weir.provisioner.SqlArrays;
import dev.weir.provisioner.rollout.StagedRollout.Stable;
import dev.weir.provisioner.rollout.StagedRollout.State;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.json.JsonMapper;

/** Staged rollouts as rows: begun by the publisher, advanced by {@link WaveEngine}, settled by either or by a person. */
@Component
public class StagedRollouts {
    private static final TypeReference<Map<UUID, Integer>> SIZES = new TypeReference<>() {};
    private static final TypeReference<Map<UUID, Long>> SINCE = new TypeReference<>() {};

    private final JdbcClient jdbc;
    private final JsonMapper json;

    StagedRollouts(JdbcClient jdbc, JsonMapper json) {
        this.jdbc = jdbc;
        this.json = json;
    }

    /** A load balancer's tree at some time. */
    public record Revision(UUID id, String tree) {}

    /** The revision that a generation means: generations that are a VIP's have none of their own. */
    public Optional<Revision> revision(UUID loadBalancerId, long generation) {
        return jdbc.sql("""
                        select id, tree::text from revisions
                        where load_balancer_id = ? and generation <= ? order by generation desc limit 1
                        """)
                .params(loadBalancerId, generation)
                .query((row, n) -> new Revision(row.getObject(1, UUID.class), row.getString(2)))
                .optional();
    }

    /** The load balancer's rollout; nobody else changes it until the transaction ends. */
    public Optional<StagedRollout> lock(UUID loadBalancerId) {
        return one("where load_balancer_id = ? for update", loadBalancerId);
    }

    /** The same if it runs and nobody else has hold of it. */
    Optional<StagedRollout> lockRunning(UUID loadBalancerId) {
        return one("where load_balancer_id = ? and state = 'running' for update skip locked", loadBalancerId);
    }

    List<UUID> running() {
        return jdbc.sql("select load_balancer_id from staged_rollouts where state = 'running'")
                .query(UUID.class)
                .list();
    }

    private Optional<StagedRollout> one(String condition, UUID loadBalancerId) {
        return jdbc.sql("""
                        select project_id, load_balancer_id, stable_generation, stable_tree::text as stable_tree,
                            stable_committed_at, stable_maglev_table_sizes::text as sizes,
                            stable_serving_since_us::text as since, candidate_revision_id, candidate_generation, state,
                            wave, pop_ids, all_pop_ids
                        from staged_rollouts %s
                        """.formatted(condition))
                .param(loadBalancerId)
                .query((row, n) -> rollout(row))
                .optional();
    }

    private StagedRollout rollout(ResultSet row) throws SQLException {
        return new StagedRollout(
                row.getObject("project_id", UUID.class),
                row.getObject("load_balancer_id", UUID.class),
                new Stable(
                        row.getLong("stable_generation"),
                        row.getString("stable_tree"),
                        row.getObject("stable_committed_at", OffsetDateTime.class)
                                .toInstant(),
                        json.readValue(row.getString("sizes"), SIZES),
                        json.readValue(row.getString("since"), SINCE)),
                row.getObject("candidate_revision_id", UUID.class),
                row.getLong("candidate_generation"),
                State.of(row.getString("state")),
                row.getInt("wave"),
                SqlArrays.uuids(row, "pop_ids"),
                SqlArrays.uuids(row, "all_pop_ids"));
    }

    /** PoPs as waves take them: those with a reachable node first, as the others prove nothing; then by name. */
    public List<UUID> inOrder(Collection<UUID> popIds, List<PopSite> pops) {
        Map<UUID, String> names = new HashMap<>();
        pops.forEach(pop -> names.put(pop.id(), pop.name()));
        Set<UUID> silent = new HashSet<>(popIds);
        silent.removeAll(jdbc.sql("""
                        select distinct n.pop_id from nodes n join node_reports r on r.node_id = n.id
                        where n.deleted_at is null and not n.drained
                            and r.last_seen_at > clock_timestamp() - make_interval(secs => ?)
                        """)
                .param((double) Watermarks.SILENCE.toSeconds())
                .query(UUID.class)
                .list());
        return popIds.stream()
                .sorted(Comparator.comparing((UUID pop) -> silent.contains(pop))
                        .thenComparing(pop -> names.getOrDefault(pop, ""))
                        .thenComparing(UUID::toString))
                .toList();
    }

    /** Starts with the first PoP, in place of any earlier rollout. */
    public StagedRollout begin(StagedRollout rollout, List<UUID> allPopIds) {
        List<UUID> first = allPopIds.subList(0, 1);
        forget(rollout.loadBalancerId());
        Stable stable = rollout.stable();
        jdbc.sql("""
                        insert into staged_rollouts (project_id, load_balancer_id, stable_generation, stable_tree,
                            stable_committed_at, stable_maglev_table_sizes, stable_serving_since_us,
                            candidate_revision_id, candidate_generation, state, pop_ids, all_pop_ids, unhealthy_before)
                        select ?, ?, ?, ?::jsonb, ?, ?::jsonb, ?::jsonb, ?, ?, 'running', ?::uuid[], ?::uuid[],
                            coalesce(avg(case operating_status when 'unhealthy' then 1 else 0 end), 0)
                        from member_status
                        where load_balancer_id = ? and operating_status in ('healthy', 'unhealthy')
                        """)
                .params(
                        rollout.projectId(),
                        rollout.loadBalancerId(),
                        stable.generation(),
                        stable.tree(),
                        stable.committedAt().atOffset(ZoneOffset.UTC),
                        json.writeValueAsString(stable.maglevTableSizes()),
                        json.writeValueAsString(stable.servingSinceUs()),
                        rollout.candidateRevisionId(),
                        rollout.candidateGeneration(),
                        SqlArrays.uuids(first),
                        SqlArrays.uuids(allPopIds),
                        rollout.loadBalancerId())
                .update();
        return rollout.over(first, allPopIds);
    }

    /** PoPs may come and go while it runs; who is in a wave already stays in front. */
    public StagedRollout placed(StagedRollout rollout, List<UUID> popIds) {
        List<UUID> candidates =
                rollout.candidatePopIds().stream().filter(popIds::contains).toList();
        List<UUID> all = java.util.stream.Stream.concat(
                        candidates.stream(), popIds.stream().filter(pop -> !candidates.contains(pop)))
                .toList();
        if (!Set.copyOf(all).equals(Set.copyOf(rollout.allPopIds()))) {
            jdbc.sql(
                            "update staged_rollouts set pop_ids = ?::uuid[], all_pop_ids = ?::uuid[] where load_balancer_id = ?")
                    .params(SqlArrays.uuids(candidates), SqlArrays.uuids(all), rollout.loadBalancerId())
                    .update();
        }
        return rollout.over(candidates, all);
    }

    public void forget(UUID loadBalancerId) {
        jdbc.sql("delete from staged_rollouts where load_balancer_id = ?")
                .param(loadBalancerId)
                .update();
    }

    void applied(UUID loadBalancerId) {
        jdbc.sql("update staged_rollouts set wave_applied_at = clock_timestamp() where load_balancer_id = ?")
                .param(loadBalancerId)
                .update();
    }

    void advance(StagedRollout rollout, List<UUID> popIds) {
        jdbc.sql("""
                        update staged_rollouts set wave = wave + 1, pop_ids = ?::uuid[],
                            wave_started_at = clock_timestamp(), wave_applied_at = null
                        where load_balancer_id = ?
                        """).params(SqlArrays.uuids(popIds), rollout.loadBalancerId()).update();
        publish(rollout);
    }

    void settle(StagedRollout rollout, State state, String reason) {
        jdbc.sql("""
                        update staged_rollouts set state = ?, reason = ?,
                            ended_at = case when ? then null else clock_timestamp() end
                        where load_balancer_id = ?
                        """)
                .params(state.text(), reason, state == State.STOPPED, rollout.loadBalancerId())
                .update();
        publish(rollout);
    }

    private void publish(StagedRollout rollout) {
        jdbc.sql("""
                        insert into outbox (kind, key, project_id, generation)
                        select 'load_balancer', id, project_id, generation from load_balancers where id = ?
                        """).param(rollout.loadBalancerId()).update();
    }
}
