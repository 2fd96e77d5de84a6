// SPDX-License-Identifier: Apache-2.0
package dev.weir.db.project;

import java.sql.Array;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;

/** Projects, as the current session may see them. */
public final class ProjectRows {
    private static final String COLUMNS =
            "p.id, p.tenant_id, p.name, p.display_name, p.member_cidrs::text[] as member_cidrs, p.created_at";

    private final JdbcClient jdbc;

    public ProjectRows(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    /** A project, the caller's role in it, and whether its tenant is suspended. */
    public record Granted(Project project, ProjectRole role, boolean tenantSuspended) {}

    public Optional<Project> find(UUID id) {
        return jdbc.sql("select " + COLUMNS + " from projects p where p.id = ?")
                .param(id)
                .query((row, n) -> project(row))
                .optional();
    }

    /** What the session's subject may do in a project; empty when there is no such project or no grant. */
    public Optional<Granted> findGranted(UUID id, String subject) {
        return jdbc.sql("select " + COLUMNS + """
                        , g.role, t.state from projects p
                        join tenants t on t.id = p.tenant_id
                        join role_grants g on g.project_id = p.id and g.subject = :subject
                        where p.id = :id""")
                .param("id", id)
                .param("subject", subject)
                .query((row, n) -> new Granted(
                        project(row),
                        ProjectRole.of(row.getString("role")),
                        row.getString("state").equals("suspended")))
                .optional();
    }

    /** The projects in which the session's subject has a role, by id. */
    public List<Granted> pageGranted(String subject, UUID after, @Nullable String name, int limit) {
        return jdbc.sql("select " + COLUMNS + """
                        , g.role, t.state from projects p
                        join tenants t on t.id = p.tenant_id
                        join role_grants g on g.project_id = p.id and g.subject = :subject
                        where p.id > :after and (:name::text is null or p.name = :name)
                        order by p.id limit :limit""")
                .param("subject", subject)
                .param("after", after)
                .param("name", name)
                .param("limit", limit)
                .query((row, n) -> new Granted(
                        project(row),
                        ProjectRole.of(row.getString("role")),
                        row.getString("state").equals("suspended")))
                .list();
    }

    public List<Project> page(UUID after, @Nullable String name, int limit) {
        return jdbc.sql("select " + COLUMNS + """
                         from projects p
                        where p.id > :after and (:name::text is null or p.name = :name)
                        order by p.id limit :limit""")
                .param("after", after)
                .param("name", name)
                .param("limit", limit)
                .query((row, n) -> project(row))
                .list();
    }

    /** The projects of a tenant, as far as the limit goes. */
    public List<Project> ofTenant(UUID tenantId, int limit) {
        return jdbc.sql("select " + COLUMNS + " from projects p where p.tenant_id = ? order by p.id limit ?")
                .param(tenantId)
                .param(limit)
                .query((row, n) -> project(row))
                .list();
    }

    public void insert(Project project) {
        jdbc.sql("""
                insert into projects (id, tenant_id, name, display_name, member_cidrs, created_at)
                values (?, ?, ?, ?, ?::cidr[], ?)""")
                .param(project.id())
                .param(project.tenantId())
                .param(project.name())
                .param(project.displayName())
                .param(project.memberCidrs().toArray(String[]::new))
                .param(java.sql.Timestamp.from(project.createdAt()))
                .update();
    }

    private static Project project(ResultSet row) throws SQLException {
        Array cidrs = row.getArray("member_cidrs");
        return new Project(
                row.getObject("id", UUID.class),
                row.getObject("tenant_id", UUID.class),
                row.getString("name"),
                row.getString("display_name"),
                List.of((String[]) cidrs.getArray()),
                row.getTimestamp("created_at").toInstant());
    }
}
