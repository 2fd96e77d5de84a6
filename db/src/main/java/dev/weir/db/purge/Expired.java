// SPDX-License-Identifier: Apache-2.0
package dev.weir.db.purge;

import org.springframework.jdbc.core.simple.JdbcClient;

/** What nobody can take back any more. */
public final class Expired {
    private final JdbcClient jdbc;

    public Expired(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    /** @return how many rows went */
    public long purge() {
        jdbc.sql("select forget_leases(null)").query(Long.class).single();
        long events = jdbc.sql("select purge_events()").query(Long.class).single();
        return events + jdbc.sql("select purge_expired()").query(Long.class).single();
    }
}
