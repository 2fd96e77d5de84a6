// SPDX-License-Identifier: Apache-2.0
package dev.weir.provisioner.outbox;

import dev.weir.provisioner.SqlArrays;
import java.util.Collection;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/** The outbox as rows. Ids commit out of order, so everything goes by state. */
@Component
public class OutboxStore {
    /** A key that something is pending for, and its project, if it has one. */
    record Pending(OutboxKind kind, UUID key, @Nullable UUID projectId) {}

    /** A row that the surrounding transaction has locked. */
    public record Claimed(
            UUID id, OutboxKind kind, UUID key, @Nullable String traceparent) {}

    private final JdbcClient jdbc;

    OutboxStore(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    /** Each project's oldest key, then each one's second, and so on: a project with many changes takes its turn. */
    List<Pending> pending() {
        return jdbc.sql("""
                        select kind, key, project_id from outbox
                        where state = 'pending' and (claimed_until is null or claimed_until <= clock_timestamp())
                        group by kind, key, project_id
                        order by row_number() over (partition by project_id order by min(created_at)), min(created_at)
                        limit 10000
                        """)
                .query((row, n) -> new Pending(
                        OutboxKind.of(row.getString(1)), row.getObject(2, UUID.class), row.getObject(3, UUID.class)))
                .list();
    }

    /** Locks the rows that are pending for these keys, newest last; what is read afterwards is at least as new. */
    public List<Claimed> claim(Collection<UUID> keys) {
        return jdbc.sql("""
                        select id, kind, key, traceparent from outbox
                        where state = 'pending' and key = any(?::uuid[])
                        order by created_at, id for update skip locked
                        """)
                .param(SqlArrays.uuids(keys))
                .query((row, n) -> new Claimed(
                        row.getObject(1, UUID.class),
                        OutboxKind.of(row.getString(2)),
                        row.getObject(3, UUID.class),
                        row.getString(4)))
                .list();
    }

    public void done(Collection<UUID> ids) {
        if (!ids.isEmpty()) {
            jdbc.sql("update outbox set state = 'done', claimed_until = null where id = any(?::uuid[])")
                    .param(SqlArrays.uuids(ids))
                    .update();
        }
    }

    /** Leaves keys alone for a while, longer after each failure: one that cannot be handled must not hold up others. */
    public void postpone(Collection<UUID> keys) {
        jdbc.sql("""
                        update outbox set attempts = attempts + 1,
                            claimed_until = clock_timestamp()
                                + least(interval '1 minute', interval '200 ms' * power(2, least(attempts, 10)))
                        where state = 'pending' and key = any(?::uuid[])
                        """).param(SqlArrays.uuids(keys)).update();
    }

    /** Has every load balancer looked at again: one whose placement is not changed by it is not published. */
    public void addAllLoadBalancers() {
        jdbc.sql("""
                        insert into outbox (kind, key, project_id, generation)
                        select 'load_balancer', id, project_id, generation from load_balancers where deleted_at is null
                        """).update();
    }

    /** Handled rows serve no purpose but looking back for a while. */
    int forgetDone() {
        return jdbc.sql("delete from outbox where state = 'done' and created_at < now() - interval '1 hour'")
                .update();
    }
}
