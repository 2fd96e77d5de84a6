// SPDX-License-Identifier: Apache-2.0
package dev.weir.db.prefixlist;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.json.JsonMapper;

/** Prefix lists that are not deleted, and who uses them. */
public final class PrefixLists {
    private static final TypeReference<Map<String, String>> LABELS = new TypeReference<>() {};
    private static final JsonMapper JSON = JsonMapper.shared();
    private static final String COLUMNS = """
            select project_id, id, name, description, labels::text as labels, cardinality(cidrs) as cidr_count,
                content_sha256, generation, created_at, updated_at
            """;

    private final JdbcClient jdbc;

    public PrefixLists(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    /** A listener that refers to a list. */
    public record User(UUID loadBalancerId, String loadBalancerName, UUID listenerId, String listenerName) {}

    public void insert(PrefixList list, List<String> cidrs) {
        jdbc.sql("""
                        insert into prefix_lists (project_id, id, name, description, labels, cidrs, content_sha256,
                            created_at, updated_at)
                        values (:project_id, :id, :name, :description, :labels::jsonb, :cidrs::cidr[], :sha256, now(),
                            clock_timestamp())""")
                .param("project_id", list.projectId())
                .param("id", list.id())
                .param("name", list.name())
                .param("description", list.description())
                .param("labels", JSON.writeValueAsString(list.labels()))
                .param("cidrs", cidrs.toArray(String[]::new))
                .param("sha256", list.contentSha256())
                .update();
    }

    /** @param cidrs null: they stay */
    public void update(PrefixList list, @Nullable List<String> cidrs) {
        jdbc.sql("""
                        update prefix_lists set name = :name, description = :description, labels = :labels::jsonb,
                            cidrs = coalesce(:cidrs::cidr[], cidrs), content_sha256 = :sha256, generation = :generation,
                            updated_at = clock_timestamp()
                        where project_id = :project_id and id = :id""")
                .param("project_id", list.projectId())
                .param("id", list.id())
                .param("name", list.name())
                .param("description", list.description())
                .param("labels", JSON.writeValueAsString(list.labels()))
                .param("cidrs", cidrs == null ? null : cidrs.toArray(String[]::new))
                .param("sha256", list.contentSha256())
                .param("generation", list.generation())
                .update();
    }

    public void delete(UUID projectId, UUID id) {
        jdbc.sql("""
                        update prefix_lists set deleted_at = clock_timestamp(), cidrs = '{}',
                            generation = generation + 1, updated_at = clock_timestamp()
                        where project_id = ? and id = ?""").param(projectId).param(id).update();
    }

    public Optional<PrefixList> find(UUID projectId, UUID id) {
        return query("where project_id = :project_id and id = :id and deleted_at is null", projectId, id);
    }

    /** Holds other writers and new users off until the transaction ends. */
    public Optional<PrefixList> lock(UUID projectId, UUID id) {
        return query("where project_id = :project_id and id = :id and deleted_at is null for update", projectId, id);
    }

    private Optional<PrefixList> query(String where, UUID projectId, UUID id) {
        return jdbc.sql(COLUMNS + "from prefix_lists " + where)
                .param("project_id", projectId)
                .param("id", id)
                .query((row, n) -> list(row))
                .optional();
    }

    public List<String> cidrs(UUID projectId, UUID id) {
        return jdbc.sql("select unnest(cidrs)::text from prefix_lists where project_id = ? and id = ?")
                .param(projectId)
                .param(id)
                .query(String.class)
                .list();
    }

    public List<PrefixList> findAll(UUID projectId, Collection<UUID> ids) {
        return jdbc.sql(COLUMNS + "from prefix_lists where project_id = ? and id = any (?)")
                .param(projectId)
                .param(ids.toArray(UUID[]::new))
                .query((row, n) -> list(row))
                .list();
    }

    /** Those of the lists that there are; none of them is deleted before the transaction ends. */
    public Set<UUID> share(UUID projectId, Collection<UUID> ids) {
        if (ids.isEmpty()) {
            return Set.of();
        }
        return new HashSet<>(jdbc.sql("""
                        select id from prefix_lists
                        where project_id = ? and id = any (?) and deleted_at is null order by id for share""")
                .param(projectId)
                .param(ids.toArray(UUID[]::new))
                .query(UUID.class)
                .list());
    }

    public List<User> users(UUID projectId, UUID id) {
        return jdbc.sql("""
                        select b.id as load_balancer_id, b.name as load_balancer_name, l.id as listener_id,
                            l.name as listener_name
                        from listener_prefix_lists p
                        join listeners l on l.project_id = p.project_id and l.id = p.listener_id
                        join load_balancers b on b.project_id = l.project_id and b.id = l.load_balancer_id
                        where p.project_id = ? and p.prefix_list_id = ?
                        order by b.name, l.name""").param(projectId).param(id).query(User.class).list();
    }

    private static PrefixList list(ResultSet row) throws SQLException {
        return new PrefixList(
                row.getObject("project_id", UUID.class),
                row.getObject("id", UUID.class),
                row.getString("name"),
                row.getString("description"),
                JSON.readValue(row.getString("labels"), LABELS),
                row.getInt("cidr_count"),
                row.getBytes("content_sha256"),
                row.getLong("generation"),
                row.getTimestamp("created_at").toInstant(),
                row.getTimestamp("updated_at").toInstant());
    }
}
