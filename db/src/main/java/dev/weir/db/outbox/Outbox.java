// SPDX-License-Identifier: Apache-2.0
package dev.weir.db.outbox;

import java.util.Locale;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;

/** Tells the provisioner, in the current transaction, that something changed. */
public final class Outbox {
    private final JdbcClient jdbc;

    public Outbox(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    public enum Kind {
        LOAD_BALANCER,
        POP,
        NODE,
        PREFIX_LIST
    }

    /**
     * @param projectId null for the fleet's
     * @param traceparent W3C trace context of the request
     */
    public void changed(Kind kind, UUID key, @Nullable UUID projectId, long generation, @Nullable String traceparent) {
        jdbc.sql("""
                insert into outbox (kind, key, project_id, generation, traceparent)
                values (:kind, :key, :project_id::uuid, :generation, :traceparent)""")
                .param("kind", kind.name().toLowerCase(Locale.ROOT))
                .param("key", key)
                .param("project_id", projectId)
                .param("generation", generation)
                .param("traceparent", traceparent)
                .update();
    }
}
