// SPDX-License-Identifier: Apache-2.0
package dev.weir.db.query;

/** What is wrong with a filter, an order or a cursor. */
public final class QueryFault extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final String parameter;

    public QueryFault(String parameter, String detail) {
        super(detail);
        this.parameter = parameter;
    }

    static QueryFault at(int character, String detail) {
        return new QueryFault("filter", "is wrong at character %d: %s".formatted(character + 1, detail));
    }

    public String parameter() {
        return parameter;
    }

    public String detail() {
        return String.valueOf(getMessage());
    }
}
