// SPDX-License-Identifier: Apache-2.0
package dev.weir.db.query;

/**
 * What a list can be filtered and sorted by.
 *
 * @param name as callers spell it
 * @param sql over the table {@code t}; never null
 */
public record Column(String name, String sql, Type type) {
    /** How values are read. */
    public enum Type {
        TEXT("text"),
        NUMBER("numeric"),
        BOOLEAN("boolean"),
        TIME("timestamptz"),
        ADDRESS("inet");

        private final String cast;

        Type(String cast) {
            this.cast = cast;
        }

        String cast() {
            return cast;
        }
    }
}
