// SPDX-License-Identifier: Apache-2.0
package dev.weir.db.audit;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;

/** Writes down, in the current transaction, who did what; the database adds which rows that changed. */
public final class AuditLog {
    private final JdbcClient jdbc;

    public AuditLog(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    /** @param projectId null for the fleet's */
    public void allowed(@Nullable UUID projectId, AuditedCall call) {
        insert(projectId, call, "allowed", null);
    }

    /**
     * @param projectId null for the fleet's, and where the caller may not see the project
     * @param code of the problem
     */
    public void refused(@Nullable UUID projectId, AuditedCall call, String code) {
        insert(projectId, call, "refused", code);
    }

    private void insert(@Nullable UUID projectId, AuditedCall call, String outcome, @Nullable String code) {
        jdbc.sql("""
                insert into audit_events (project_id, subject, username, action, resource, path, source_address,
                    request_id, outcome, code, changes)
                values (:project_id::uuid, :subject, :username, :action, :resource, :path, :source_address::inet,
                    :request_id, :outcome, :code,
                    coalesce(nullif(current_setting('weir.audit_changes', true), ''), '[]')::jsonb)""")
                .param("project_id", projectId)
                .param("subject", call.subject())
                .param("username", call.username())
                .param("action", call.action())
                .param("resource", call.resource())
                .param("path", call.path())
                .param("source_address", call.sourceAddress())
                .param("request_id", call.requestId())
                .param("outcome", outcome)
                .param("code", code)
                .update();
    }

    /**
     * What a page of a list shows; a null filter lets everything through.
     *
     * @param before the page's events are older than this one
     */
    public record Query(
            @Nullable UUID projectId,
            UUID before,
            @Nullable String outcome,
            @Nullable String action,
            @Nullable String resource,
            int limit) {}

    /** Events that the session may see, newest first. */
    public List<AuditEvent> page(Query query) {
        return jdbc.sql("""
                select project_id, id, subject, username, action, resource, path, host(source_address) as source_address,
                    request_id, code, changes::text as changes, created_at
                from audit_events
                where id < :before and (:project_id::uuid is null or project_id = :project_id::uuid)
                    and (:outcome::text is null or outcome = :outcome)
                    and (:action::text is null or action = :action)
                    and (:resource::text is null or resource = :resource)
                order by id desc limit :limit""")
                .param("before", query.before())
                .param("project_id", query.projectId())
                .param("outcome", query.outcome())
                .param("action", query.action())
                .param("resource", query.resource())
                .param("limit", query.limit())
                .query(AuditLog::event)
                .list();
    }

    private static AuditEvent event(ResultSet row, int number) throws SQLException {
        return new AuditEvent(
                row.getObject("project_id", UUID.class),
                row.getObject("id", UUID.class),
                new AuditedCall(
                        row.getString("subject"),
                        row.getString("username"),
                        row.getString("action"),
                        row.getString("resource"),
                        String.valueOf(row.getString("path")),
                        row.getString("source_address"),
                        row.getString("request_id")),
                row.getString("code"),
                row.getString("changes"),
                row.getTimestamp("created_at").toInstant());
    }
}
