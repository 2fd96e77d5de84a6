// SPDX-License-Identifier: Apache-2.0
package dev.weir.provisioner.rollout;

import dev.weir.compiler.Fault;
import dev.weir.provisioner.SqlArrays;
import dev.weir.provisioner.rollout.ObservedGeneration.Node;
import dev.weir.provisioner.rollout.ObservedGeneration.Published;
import dev.weir.provisioner.rollout.ObservedGeneration.Refused;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.UUID;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import org.springframework.transaction.support.TransactionTemplate;
import tools.jackson.databind.json.JsonMapper;

/** A load balancer's own row: written only when what it says changes. */
@Component
public class StatusStore {
    private final JdbcClient jdbc;
    private final TransactionTemplate transactions;
    private final JsonMapper json;

    StatusStore(JdbcClient jdbc, TransactionTemplate transactions, JsonMapper json) {
        this.jdbc = jdbc;
        this.transactions = transactions;
        this.json = json;
    }

    /**
     * A generation has a record now.
     *
     * @return whether that is news
     */
    public boolean published(UUID projectId, UUID loadBalancerId, long generation) {
        return jdbc.sql("""
                        insert into load_balancer_status as s (project_id, load_balancer_id, published_generation)
                        values (?, ?, ?)
                        on conflict (project_id, load_balancer_id) do update
                        set published_generation = excluded.published_generation,
                            refused_generation = null, refused_faults = null
                        where s.published_generation <> excluded.published_generation
                            or s.refused_generation is not null
                        """).params(projectId, loadBalancerId, generation).update() == 1;
    }

    /**
     * A generation that was accepted cannot be compiled now.
     *
     * @return whether that is news
     */
    public boolean refused(UUID projectId, UUID loadBalancerId, long generation, List<Fault> faults) {
        return jdbc.sql("""
                        insert into load_balancer_status as s
                            (project_id, load_balancer_id, refused_generation, refused_faults)
                        values (?, ?, ?, ?::jsonb)
                        on conflict (project_id, load_balancer_id) do update
                        set refused_generation = excluded.refused_generation, refused_faults = excluded.refused_faults
                        where s.refused_generation is distinct from excluded.refused_generation
                            or s.refused_faults is distinct from excluded.refused_faults
                        """)
                        .params(projectId, loadBalancerId, generation, json.writeValueAsString(faults))
                        .update()
                == 1;
    }

    /** Load balancers of which something is awaited, or whose refresh was lost with a process. */
    List<UUID> behind() {
        return jdbc.sql("""
                        select load_balancer_id from load_balancer_status
                        where observed_generation <> published_generation
                        """).query(UUID.class).list();
    }

    private record Key(UUID projectId, UUID loadBalancerId) {}

    private record Row(int partition, Published published) {}

    /**
     * Derives the observed generation of load balancers anew. To be called after what it is derived from was committed:
     * of two that change something at the same time, the later call sees both.
     */
    public void refresh(Collection<UUID> loadBalancerIds) {
        if (!loadBalancerIds.isEmpty()) {
            transactions.executeWithoutResult(status -> refreshLocked(SqlArrays.uuids(loadBalancerIds)));
        }
    }

    private void refreshLocked(String ids) {
        // Derived anew if a crash of PostgreSQL takes it back, see behind().
        jdbc.sql("set local synchronous_commit = off").update();
        Map<UUID, Long> known = new HashMap<>();
        Map<UUID, Key> keys = new HashMap<>();
        jdbc.sql("""
                        select project_id, load_balancer_id, observed_generation from load_balancer_status
                        where load_balancer_id = any(?::uuid[]) order by load_balancer_id for update
                        """).param(ids).query(row -> {
            Key key = new Key(row.getObject(1, UUID.class), row.getObject(2, UUID.class));
            keys.put(key.loadBalancerId(), key);
            known.put(key.loadBalancerId(), row.getLong(3));
        });
        Map<UUID, List<Row>> records = records(ids);
        Set<Integer> partitions = new HashSet<>();
        records.values().forEach(rows -> rows.forEach(row -> partitions.add(row.partition())));
        Map<Integer, List<Node>> nodes = nodes(partitions);
        Map<UUID, List<Refused>> refusals = refusals(ids);
        Map<UUID, Map<UUID, Long>> drains = drains(ids);
        keys.forEach((id, key) -> {
            List<Row> rows = records.getOrDefault(id, List.of());
            if (rows.isEmpty()) {
                return;
            }
            OptionalLong observed = ObservedGeneration.derive(
                    rows.stream().map(Row::published).toList(),
                    heldBack(
                            nodes.getOrDefault(rows.getFirst().partition(), List.of()),
                            drains.getOrDefault(id, Map.of())),
                    refusals.getOrDefault(id, List.of()));
            if (observed.isPresent() && observed.getAsLong() != known.getOrDefault(id, -1L)) {
                write(key, observed.getAsLong());
            }
        });
    }

    private void write(Key key, long observed) {
        jdbc.sql("""
                        update load_balancer_status
                        set observed_generation = ?, observed_at = clock_timestamp()
                        where project_id = ? and load_balancer_id = ?
                        """).params(observed, key.projectId(), key.loadBalancerId()).update();
        // Whoever waits for a rollout wakes up when this commits.
        jdbc.sql("select pg_notify('weir_status', ?)")
                .param(key.loadBalancerId().toString())
                .query(row -> {});
    }

    private Map<UUID, List<Row>> records(String ids) {
        Map<UUID, List<Row>> records = new HashMap<>();
        jdbc.sql("""
                        select load_balancer_id, partition, epoch, sequence, log_offset, generation, pop_ids,
                            stable_generation, candidate_pop_ids
                        from published_records
                        where load_balancer_id = any(?::uuid[]) and log_offset is not null
                        """).param(ids).query(row -> {
            records.computeIfAbsent(row.getObject(1, UUID.class), id -> new ArrayList<>())
                    .add(new Row(
                            row.getInt(2),
                            new Published(
                                    row.getLong(3),
                                    row.getLong(4),
                                    row.getLong(5),
                                    row.getLong(6),
                                    Set.copyOf(SqlArrays.uuids(row, "pop_ids")),
                                    row.getObject("stable_generation", Long.class),
                                    Set.copyOf(SqlArrays.uuids(row, "candidate_pop_ids")))));
        });
        return records;
    }

    private Map<Integer, List<Node>> nodes(Collection<Integer> partitions) {
        Map<Integer, List<Node>> nodes = new HashMap<>();
        jdbc.sql("""
                        select p.partition, n.id, n.pop_id,
                            coalesce(r.last_seen_at > clock_timestamp() - make_interval(secs => ?), false),
                            coalesce(w.position, 0)
                        from unnest(?::integer[]) as p(partition)
                        cross join nodes n
                        left join node_reports r on r.node_id = n.id
                        left join node_watermarks w on w.node_id = n.id and w.partition = p.partition
                        where n.deleted_at is null
                        """)
                .params((double) Watermarks.SILENCE.toSeconds(), SqlArrays.integers(partitions))
                .query(row -> {
                    nodes.computeIfAbsent(row.getInt(1), partition -> new ArrayList<>())
                            .add(new Node(
                                    row.getObject(2, UUID.class),
                                    row.getObject(3, UUID.class),
                                    row.getBoolean(4),
                                    row.getLong(5)));
                });
        return nodes;
    }

    /** @param positions by node, of a load balancer of which flows drain there */
    private static List<Node> heldBack(List<Node> nodes, Map<UUID, Long> positions) {
        return nodes.stream()
                .map(node -> node.heldAt(positions.getOrDefault(node.id(), Long.MAX_VALUE)))
                .toList();
    }

    private Map<UUID, Map<UUID, Long>> drains(String ids) {
        Map<UUID, Map<UUID, Long>> drains = new HashMap<>();
        jdbc.sql("""
                        select load_balancer_id, node_id, position from node_drains
                        where load_balancer_id = any(?::uuid[])
                        """).param(ids).query(row -> {
            drains.computeIfAbsent(row.getObject(1, UUID.class), id -> new HashMap<>())
                    .put(row.getObject(2, UUID.class), row.getLong(3));
        });
        return drains;
    }

    private Map<UUID, List<Refused>> refusals(String ids) {
        Map<UUID, List<Refused>> refusals = new HashMap<>();
        jdbc.sql("""
                        select load_balancer_id, node_id, epoch, sequence, running_generation from node_rejections
                        where load_balancer_id = any(?::uuid[])
                        """).param(ids).query(row -> {
            refusals.computeIfAbsent(row.getObject(1, UUID.class), id -> new ArrayList<>())
                    .add(new Refused(row.getObject(2, UUID.class), row.getLong(3), row.getLong(4), row.getLong(5)));
        });
        return refusals;
    }
}
