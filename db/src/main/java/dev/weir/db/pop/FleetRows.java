// SPDX-License-Identifier: Apache-2.0
package dev.weir.db.pop;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.json.JsonMapper;

/** What operators change of nodes that are there, and who depends on nodes and PoPs. */
public final class FleetRows {
    private static final JsonMapper JSON = JsonMapper.shared();
    private static final TypeReference<Map<String, String>> LABELS = new TypeReference<>() {};

    private final JdbcClient jdbc;

    public FleetRows(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    public record PlacedNode(UUID nodeId, String nodeName, UUID popId, String popName) {}

    /** @param fenced whether an operator made sure that the node forwards nothing */
    public record NodeState(UUID nodeId, Map<String, String> labels, boolean fenced) {}

    /** @param kind such as {@code load balancer} */
    public record User(String kind, String name, UUID id) {}

    public List<PlacedNode> nodesOf(Collection<UUID> popIds) {
        return jdbc.sql("""
                        select n.id as node_id, n.name as node_name, p.id as pop_id, p.name as pop_name
                        from nodes n join pops p on p.id = n.pop_id
                        where n.deleted_at is null and n.pop_id = any (?) order by p.name, n.name""")
                .param(popIds.toArray(UUID[]::new))
                .query(PlacedNode.class)
                .list();
    }

    public Map<UUID, NodeState> states(Collection<UUID> nodeIds) {
        return jdbc
                .sql("select id, labels::text, fenced_at is not null from nodes where id = any (?)")
                .param(nodeIds.toArray(UUID[]::new))
                .query((row, n) -> new NodeState(
                        row.getObject(1, UUID.class), JSON.readValue(row.getString(2), LABELS), row.getBoolean(3)))
                .list()
                .stream()
                .collect(Collectors.toMap(NodeState::nodeId, Function.identity()));
    }

    /** Holds other writers of the node off; its generation. */
    public Optional<Long> lockNode(UUID popId, UUID id) {
        return jdbc.sql("""
                        select generation from nodes where pop_id = ? and id = ? and deleted_at is null for update""").param(popId).param(id).query(Long.class).optional();
    }

    /** Null keeps what is there. */
    public void updateNode(
            UUID id,
            @Nullable String name,
            @Nullable Map<String, String> labels,
            @Nullable Boolean drained,
            @Nullable Boolean fenced) {
        jdbc.sql("""
                        update nodes set name = coalesce(:name::text, name),
                            labels = coalesce(:labels::jsonb, labels),
                            drained = coalesce(:drained::boolean, drained),
                            fenced_at = case :fenced::boolean
                                when true then coalesce(fenced_at, now()) when false then null else fenced_at end,
                            generation = generation + 1, updated_at = now()
                        where id = :id""")
                .param("name", name)
                .param("labels", labels == null ? null : JSON.writeValueAsString(labels))
                .param("drained", drained)
                .param("fenced", fenced)
                .param("id", id)
                .update();
    }

    public void deleteNode(UUID id) {
        jdbc.sql("delete from node_snat_ranges where node_id = ?").param(id).update();
        jdbc.sql("update nodes set deleted_at = now(), generation = generation + 1 where id = ?")
                .param(id)
                .update();
    }

    /** Nodes in a PoP, and load balancers whose placement or members name it. */
    public List<User> usersOfPop(UUID popId) {
        return jdbc.sql("""
                        select 'node' as kind, name, id from nodes where pop_id = :id and deleted_at is null
                        union all
                        select 'load balancer', b.name, b.id from load_balancers b
                        where b.deleted_at is null and (b.placement -> 'pop_ids' @> to_jsonb(:id::text) or exists (
                            select from pools p join members m on m.project_id = p.project_id and m.pool_id = p.id
                            where p.project_id = b.project_id and p.load_balancer_id = b.id and :id = any (m.pop_ids)))
                        order by 1, 2 limit 100""").param("id", popId).query(User.class).list();
    }
}
