// SPDX-License-Identifier: Apache-2.0
package dev.weir.db.overlay;

import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;

/**
 * What drains and shifts are in force on a load balancer. An entry whose time has come is over, whether or not its row is
 * still there.
 */
public final class OverlayRows {
    private final JdbcClient jdbc;

    public OverlayRows(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    /** Either a member that takes no new flows, or a PoP that takes no traffic. */
    public record Entry(@Nullable UUID memberId, @Nullable UUID popId, Instant endsAt, Instant createdAt) {}

    /** Those in force, in order of their targets. */
    public List<Entry> of(UUID projectId, UUID loadBalancerId) {
        return jdbc.sql("""
                select member_id, pop_id, ends_at, created_at from overlay_entries
                where project_id = ? and load_balancer_id = ? and ends_at > clock_timestamp()
                order by member_id, pop_id""")
                .params(projectId, loadBalancerId)
                .query((row, n) -> new Entry(
                        row.getObject("member_id", UUID.class),
                        row.getObject("pop_id", UUID.class),
                        row.getObject("ends_at", OffsetDateTime.class).toInstant(),
                        row.getObject("created_at", OffsetDateTime.class).toInstant()))
                .list();
    }

    /** Lets a member or a PoP take nothing new until a time; what was asked of it before is replaced. */
    public void put(
            UUID projectId, UUID loadBalancerId, @Nullable UUID memberId, @Nullable UUID popId, Instant endsAt) {
        jdbc.sql("""
                insert into overlay_entries (project_id, load_balancer_id, member_id, pop_id, ends_at)
                values (?, ?, ?::uuid, ?::uuid, ?)
                on conflict on constraint overlay_entry_target_key do update set
                    ends_at = excluded.ends_at,
                    -- One that was over begins anew.
                    created_at = case when overlay_entries.ends_at > clock_timestamp() then overlay_entries.created_at
                        else excluded.created_at end""")
                .param(projectId)
                .param(loadBalancerId)
                .param(memberId)
                .param(popId)
                .param(endsAt.atOffset(ZoneOffset.UTC))
                .update();
    }

    /** @return whether there was such an entry */
    public boolean end(UUID projectId, UUID loadBalancerId, @Nullable UUID memberId, @Nullable UUID popId) {
        return jdbc.sql("""
                        delete from overlay_entries
                        where project_id = ? and load_balancer_id = ? and (member_id = ?::uuid or pop_id = ?::uuid)""")
                        .param(projectId)
                        .param(loadBalancerId)
                        .param(memberId)
                        .param(popId)
                        .update()
                > 0;
    }

    /** Has the next record say that entries changed. */
    public void raiseSequence(UUID projectId, UUID loadBalancerId) {
        jdbc.sql("update load_balancers set overlay_sequence = overlay_sequence + 1 where project_id = ? and id = ?")
                .params(projectId, loadBalancerId)
                .update();
    }
}
