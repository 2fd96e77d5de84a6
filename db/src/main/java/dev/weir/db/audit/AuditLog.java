// SPDX-License-Identifier: Apache-2.0
package dev.weir.db.audit;

import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;

/** Writes down who did what, in the current transaction. */
public final class AuditLog {
    private final JdbcClient jdbc;

    public AuditLog(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    /**
     * @param projectId null for the fleet's
     * @param action operation of the contract
     * @param resource prefixed id of what it was done to
     */
    public void allowed(
            @Nullable UUID projectId,
            String subject,
            @Nullable String username,
            String action,
            @Nullable String resource) {
        jdbc.sql("""
                insert into audit_events (project_id, subject, username, action, resource, outcome)
                values (:project_id::uuid, :subject, :username, :action, :resource, 'allowed')""")
                .param("project_id", projectId)
                .param("subject", subject)
                .param("username", username)
                .param("action", action)
                .param("resource", resource)
                .update();
    }
}
