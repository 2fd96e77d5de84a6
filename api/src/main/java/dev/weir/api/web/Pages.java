// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.web;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Pages by cursor: a cursor names the last item of the page before, opaquely.
 *
 * @param items of this page
 * @param nextCursor null on the last page
 */
public record Pages<T>(List<T> items, @Nullable String nextCursor) {
    private static final UUID FIRST = new UUID(0, 0);
    private static final UUID LAST = new UUID(-1, -1);
    private static final int MAX_LIMIT = 200;

    public Pages {
        items = List.copyOf(items);
    }

    /** How many rows to read for a page: one more than it shows, to know whether another follows. */
    public static int rows(int limit) {
        if (limit < 1 || limit > MAX_LIMIT) {
            throw invalid("limit", "must be from 1 to %d".formatted(MAX_LIMIT));
        }
        return limit + 1;
    }

    public static <T> Pages<T> of(List<T> rows, int limit, Function<T, String> key) {
        if (rows.size() <= limit) {
            return new Pages<>(rows, null);
        }
        List<T> items = rows.subList(0, limit);
        byte[] cursor = key.apply(items.getLast()).getBytes(StandardCharsets.UTF_8);
        return new Pages<>(items, Base64.getUrlEncoder().withoutPadding().encodeToString(cursor));
    }

    /** The id after which the page begins. */
    public static UUID afterId(@Nullable String cursor) {
        if (cursor == null) {
            return FIRST;
        }
        try {
            return UUID.fromString(decode(cursor));
        } catch (IllegalArgumentException e) {
            throw invalid("cursor", "is not a cursor of this list");
        }
    }

    /** The id before which the page begins, for lists that begin with the newest. */
    public static UUID beforeId(@Nullable String cursor) {
        return cursor == null ? LAST : afterId(cursor);
    }

    /** The number before which the page begins, for lists that begin with the newest. */
    public static long beforeNumber(@Nullable String cursor) {
        if (cursor == null) {
            return Long.MAX_VALUE;
        }
        try {
            return Long.parseLong(decode(cursor));
        } catch (IllegalArgumentException e) {
            throw invalid("cursor", "is not a cursor of this list");
        }
    }

    private static String decode(String cursor) {
        return new String(Base64.getUrlDecoder().decode(cursor), StandardCharsets.UTF_8);
    }

    /** Rows in the order of their ids. */
    public static <T> List<T> inOrder(List<UUID> ids, List<T> rows, Function<T, UUID> id) {
        Map<UUID, T> byId = rows.stream().collect(Collectors.toMap(id, Function.identity()));
        return ids.stream()
                .flatMap(wanted -> Optional.ofNullable(byId.get(wanted)).stream())
                .toList();
    }

    public static ProblemException invalid(String parameter, String detail) {
        return new ProblemException(
                ProblemCode.INVALID_PARAMETER,
                "The parameter %s %s.".formatted(parameter, detail),
                List.of(new FieldFault("query/" + parameter, "INVALID", detail)));
    }
}
