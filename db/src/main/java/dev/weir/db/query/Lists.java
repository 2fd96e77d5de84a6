// SPDX-License-Identifier: Apache-2.0
package dev.weir.db.query;

import dev.weir.db.query.Column.Type;
import dev.weir.db.query.Filter.Condition;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;

/**
 * Pages of a project's lists, filtered and sorted as the caller says. A cursor holds the sort key and the id of the last
 * item, so that what is inserted meanwhile moves nothing that was seen.
 */
public final class Lists {
    private static final String SEPARATOR = "\n";
    private static final int MAX_TEXT = 2_000;

    private final JdbcClient jdbc;

    public Lists(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    /** A kind of resource that is listed. */
    public enum Listed {
        LOAD_BALANCERS(
                "load_balancers t where t.deleted_at is null and",
                true,
                List.of(
                        new Column("name", "t.name", Type.TEXT),
                        new Column("description", "coalesce(t.description, '')", Type.TEXT),
                        new Column("enabled", "t.enabled", Type.BOOLEAN),
                        new Column("generation", "t.generation", Type.NUMBER),
                        new Column("delete_protection", "t.delete_protection", Type.BOOLEAN),
                        new Column("rollout", "t.rollout", Type.TEXT),
                        new Column("created_at", "t.created_at", Type.TIME),
                        new Column("updated_at", "t.updated_at", Type.TIME))),
        VIPS(
                "vips t where",
                false,
                List.of(
                        new Column("name", "t.name", Type.TEXT),
                        new Column("address", "t.address", Type.ADDRESS),
                        new Column(
                                "address_family",
                                "case family(t.address) when 4 then 'ipv4' else 'ipv6' end",
                                Type.TEXT),
                        new Column("delete_protection", "t.delete_protection", Type.BOOLEAN),
                        new Column("created_at", "t.created_at", Type.TIME))),
        PREFIX_LISTS(
                "prefix_lists t where t.deleted_at is null and",
                true,
                List.of(
                        new Column("name", "t.name", Type.TEXT),
                        new Column("description", "coalesce(t.description, '')", Type.TEXT),
                        new Column("cidr_count", "cardinality(t.cidrs)", Type.NUMBER),
                        new Column("created_at", "t.created_at", Type.TIME),
                        new Column("updated_at", "t.updated_at", Type.TIME)));

        private final String table;
        private final boolean labelled;
        private final List<Column> columns;

        Listed(String table, boolean labelled, List<Column> columns) {
            this.table = table;
            this.labelled = labelled;
            this.columns = columns;
        }
    }

    /**
     * What a caller asks for.
     *
     * @param filter null: all
     * @param orderBy a field, and {@code desc} behind it or not; null: by age
     * @param cursor of the page before; null: the first page
     * @param name only the resource of this name; null: all
     */
    public record Request(
            @Nullable String filter,
            @Nullable String orderBy,
            @Nullable String cursor,
            @Nullable String name,
            int limit) {}

    /** @param nextCursor null on the last page */
    public record Page(List<UUID> ids, @Nullable String nextCursor) {}

    private record Order(String sql, String cast, boolean descending, String text) {}

    private record Found(UUID id, String key) {}

    /** @throws QueryFault if the request cannot be understood */
    public Page page(UUID projectId, Listed listed, Request request) {
        Order order = order(listed, request.orderBy());
        List<Object> params = new ArrayList<>();
        StringBuilder sql = new StringBuilder(
                "select t.id, (%s)::text as key from %s t.project_id = ?".formatted(order.sql(), listed.table));
        params.add(projectId);
        if (request.name() != null) {
            sql.append(" and t.name = ?");
            params.add(request.name());
        }
        for (Condition condition : conditions(listed, request.filter())) {
            boolean contains = condition.sql().startsWith("position");
            sql.append(" and (").append(condition.sql()).append(')');
            if (contains) {
                params.add(condition.value());
            }
            if (condition.label() != null) {
                params.add(condition.label());
            }
            if (!contains) {
                params.add(condition.value());
            }
        }
        if (request.cursor() != null) {
            Found last = last(request.cursor(), order);
            sql.append(" and (%s, t.id) %s (?::%s, ?)"
                    .formatted(order.sql(), order.descending() ? "<" : ">", order.cast()));
            params.add(last.key());
            params.add(last.id());
        }
        String direction = order.descending() ? " desc" : "";
        sql.append(" order by ")
                .append(order.sql())
                .append(direction)
                .append(", t.id")
                .append(direction);
        sql.append(" limit ?");
        params.add(request.limit() + 1);
        List<Found> rows =
                jdbc.sql(sql.toString()).params(params).query(Found.class).list();
        boolean more = rows.size() > request.limit();
        List<Found> shown = more ? rows.subList(0, request.limit()) : rows;
        return new Page(shown.stream().map(Found::id).toList(), more ? cursor(shown.getLast(), order) : null);
    }

    private static List<Condition> conditions(Listed listed, @Nullable String filter) {
        if (filter == null) {
            return List.of();
        }
        if (filter.length() > MAX_TEXT) {
            throw new QueryFault("filter", "must have at most %d characters".formatted(MAX_TEXT));
        }
        return Filter.parse(filter, listed.columns, listed.labelled);
    }

    private static Order order(Listed listed, @Nullable String text) {
        if (text == null) {
            return new Order("t.id", "uuid", false, "");
        }
        String[] words = text.strip().split(" +", -1);
        boolean descending = words.length == 2 && words[1].equals("desc");
        boolean ascending = words.length == 1 || words.length == 2 && words[1].equals("asc");
        return listed.columns.stream()
                .filter(column -> column.name().equals(words[0]) && (descending || ascending))
                .findFirst()
                .map(column -> new Order(column.sql(), column.type().cast(), descending, words[0] + descending))
                .orElseThrow(() -> new QueryFault(
                        "order_by",
                        "must be one of %s, with desc behind it or not"
                                .formatted(String.join(
                                        ", ",
                                        listed.columns.stream()
                                                .map(Column::name)
                                                .toList()))));
    }

    private static String cursor(Found last, Order order) {
        String text = String.join(SEPARATOR, order.text(), last.id().toString(), last.key());
        return Base64.getUrlEncoder().withoutPadding().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }

    private static Found last(String cursor, Order order) {
        try {
            String[] parts =
                    new String(Base64.getUrlDecoder().decode(cursor), StandardCharsets.UTF_8).split(SEPARATOR, 3);
            if (parts.length == 3 && parts[0].equals(order.text()) && parts[2].indexOf('\0') < 0) {
                return new Found(UUID.fromString(parts[1]), parts[2]);
            }
        } catch (IllegalArgumentException e) {
            // Told below, like any other that is none.
        }
        throw new QueryFault("cursor", "is not a cursor of this list in this order");
    }
}
