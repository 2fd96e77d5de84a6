// SPDX-License-Identifier: Apache-2.0
package dev.weir.db.event;

import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;

/**
 * What happened to a project's resources, in an order in which nothing comes in between any more: by the transaction that
 * wrote it, and only once every older transaction has ended.
 */
public final class EventRows {
    private static final UUID FIRST = new UUID(0, 0);

    private final JdbcClient jdbc;

    public EventRows(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    /** A place between two events. {@code transactionId} is an {@code xid8} as text. */
    public record Position(String transactionId, UUID id) {}

    /** @param details as JSON */
    public record Event(
            Position position,
            String kind,
            String resource,
            @Nullable UUID loadBalancerId,
            String details,
            Instant createdAt) {}

    /**
     * Which events; null lets all through.
     *
     * @param loadBalancerId or those of this load balancer's parts
     */
    public record Selection(
            @Nullable String kind,
            @Nullable String resource,
            @Nullable UUID loadBalancerId) {}

    /** Behind all events that can be seen now, before all that cannot yet. */
    public Position now() {
        return new Position(
                jdbc.sql("select pg_snapshot_xmin(pg_current_snapshot())::text")
                        .query(String.class)
                        .single(),
                FIRST);
    }

    /** Where an event that is still kept stands. */
    public Optional<Position> find(UUID projectId, UUID id) {
        return jdbc.sql("select transaction_id::text from events where project_id = ? and id = ?")
                .params(projectId, id)
                .query(String.class)
                .optional()
                .map(transactionId -> new Position(transactionId, id));
    }

    /** The next ones behind a position, oldest first. */
    public List<Event> after(UUID projectId, Position position, Selection selection, int limit) {
        return select(projectId, selection, position, ">", "", limit);
    }

    /** The ones before a position, newest first; null: the newest. */
    public List<Event> before(UUID projectId, @Nullable Position position, Selection selection, int limit) {
        return select(projectId, selection, position, "<", "desc", limit);
    }

    private List<Event> select(
            UUID projectId,
            Selection selection,
            @Nullable Position position,
            String side,
            String direction,
            int limit) {
        StringBuilder sql = new StringBuilder("""
                select transaction_id::text as transaction_id, id, kind, resource, load_balancer_id,
                    body::text as body, created_at
                from events
                where project_id = ? and transaction_id < pg_snapshot_xmin(pg_current_snapshot())""");
        List<Object> params = new ArrayList<>(List.of(projectId));
        if (position != null) {
            sql.append(" and (transaction_id, id) %s (?::text::xid8, ?)".formatted(side));
            params.add(position.transactionId());
            params.add(position.id());
        }
        if (selection.kind() != null) {
            sql.append(" and kind = ?");
            params.add(selection.kind());
        }
        if (selection.loadBalancerId() != null) {
            sql.append(" and load_balancer_id = ?");
            params.add(selection.loadBalancerId());
        } else if (selection.resource() != null) {
            sql.append(" and resource = ?");
            params.add(selection.resource());
        }
        sql.append(" order by transaction_id %1$s, id %1$s limit ?".formatted(direction));
        params.add(limit);
        return jdbc.sql(sql.toString())
                .params(params)
                .query((row, n) -> new Event(
                        new Position(row.getString("transaction_id"), row.getObject("id", UUID.class)),
                        row.getString("kind"),
                        row.getString("resource"),
                        row.getObject("load_balancer_id", UUID.class),
                        row.getString("body"),
                        row.getObject("created_at", OffsetDateTime.class).toInstant()))
                .list();
    }
}
