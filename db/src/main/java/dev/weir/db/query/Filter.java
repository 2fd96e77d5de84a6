// SPDX-License-Identifier: Apache-2.0
package dev.weir.db.query;

import dev.weir.db.query.Column.Type;
import java.math.BigDecimal;
import java.net.InetAddress;
import java.time.OffsetDateTime;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads filters: conditions {@code field op value}, joined by AND. Values with spaces stand in double quotes, inside of
 * which a backslash escapes. The operators are {@code = != < <= > >=}, and {@code :} for "contains".
 */
final class Filter {
    private static final String LABELS = "labels.";
    private static final List<String> OPERATORS = List.of("!=", "<=", ">=", "=", "<", ">", ":");

    private final String text;
    private final List<Column> columns;
    private final boolean labelled;
    private int at;

    private Filter(String text, List<Column> columns, boolean labelled) {
        this.text = text;
        this.columns = columns;
        this.labelled = labelled;
    }

    /**
     * @param sql with one {@code ?} where {@code value} belongs, preceded by one for {@code label} if that is given
     */
    record Condition(String sql, @Nullable String label, String value) {}

    /** @throws QueryFault that names the character at which reading ended */
    static List<Condition> parse(String text, List<Column> columns, boolean labelled) {
        Filter filter = new Filter(text, columns, labelled);
        List<Condition> conditions = new ArrayList<>();
        filter.skipSpace();
        conditions.add(filter.condition());
        while (filter.at < text.length()) {
            int here = filter.at;
            if (!filter.word().equals("AND")) {
                throw QueryFault.at(here, "expected AND or the end");
            }
            filter.skipSpace();
            conditions.add(filter.condition());
        }
        return conditions;
    }

    private Condition condition() {
        int fieldAt = at;
        String field = field();
        skipSpace();
        int operatorAt = at;
        String operator = operator();
        skipSpace();
        int valueAt = at;
        String value = value();
        skipSpace();
        if (labelled && field.startsWith(LABELS) && field.length() > LABELS.length()) {
            return new Condition(
                    comparison("t.labels ->> ?", operator, Type.TEXT, operatorAt),
                    field.substring(LABELS.length()),
                    value);
        }
        Column column = columns.stream()
                .filter(known -> known.name().equals(field))
                .findFirst()
                .orElseThrow(() -> QueryFault.at(fieldAt, "there is no field %s; %s".formatted(field, fields())));
        check(column, value, valueAt);
        return new Condition(comparison(column.sql(), operator, column.type(), operatorAt), null, value);
    }

    private String fields() {
        List<String> names = new ArrayList<>(columns.stream().map(Column::name).toList());
        if (labelled) {
            names.add(LABELS + "<key>");
        }
        return "fields are " + String.join(", ", names);
    }

    private String field() {
        int start = at;
        while (at < text.length() && " =!<>:\"".indexOf(text.charAt(at)) < 0) {
            at++;
        }
        if (start == at) {
            throw QueryFault.at(start, "expected a field");
        }
        return text.substring(start, at);
    }

    private String operator() {
        Optional<String> operator =
                OPERATORS.stream().filter(known -> text.startsWith(known, at)).findFirst();
        if (operator.isEmpty()) {
            throw QueryFault.at(at, "expected one of = != < <= > >= :");
        }
        at += operator.get().length();
        return operator.get();
    }

    private String value() {
        if (at < text.length() && text.charAt(at) == '"') {
            return quoted();
        }
        int start = at;
        String word = word();
        if (word.isEmpty()) {
            throw QueryFault.at(start, "expected a value");
        }
        return word;
    }

    private String word() {
        int start = at;
        while (at < text.length() && text.charAt(at) != ' ') {
            at++;
        }
        return text.substring(start, at);
    }

    private String quoted() {
        int start = at++;
        StringBuilder value = new StringBuilder();
        while (at < text.length()) {
            char c = text.charAt(at++);
            if (c == '"') {
                return value.toString();
            }
            if (c == '\\' && at < text.length()) {
                c = text.charAt(at++);
            }
            value.append(c);
        }
        throw QueryFault.at(start, "this quote is not closed");
    }

    private void skipSpace() {
        while (at < text.length() && text.charAt(at) == ' ') {
            at++;
        }
    }

    private static String comparison(String sql, String operator, Type type, int operatorAt) {
        if (operator.equals(":")) {
            if (type != Type.TEXT) {
                throw QueryFault.at(operatorAt, "only texts can be searched with :");
            }
            return "position(lower(?) in lower(" + sql + ")) > 0";
        }
        if (type == Type.BOOLEAN && !Set.of("=", "!=").contains(operator)) {
            throw QueryFault.at(operatorAt, "true and false can be compared with = and != only");
        }
        return switch (operator) {
            case "=" -> sql + " = ?::" + type.cast();
            // Without the label it is another one, too.
            case "!=" -> sql + " is distinct from ?::" + type.cast();
            default -> sql + " " + operator + " ?::" + type.cast();
        };
    }

    private static void check(Column column, String value, int valueAt) {
        boolean fine = switch (column.type()) {
            case TEXT -> value.indexOf('\0') < 0;
            case NUMBER -> isNumber(value);
            case BOOLEAN -> value.equals("true") || value.equals("false");
            case TIME -> isTime(value);
            case ADDRESS -> isAddress(value);
        };
        if (!fine) {
            throw QueryFault.at(
                    valueAt,
                    switch (column.type()) {
                        case TEXT -> "expected a text";
                        case NUMBER -> "expected a number";
                        case BOOLEAN -> "expected true or false";
                        case TIME -> "expected a time, such as 2026-01-31T12:00:00Z";
                        case ADDRESS -> "expected an address";
                    });
        }
    }

    private static boolean isNumber(String value) {
        try {
            return new BigDecimal(value).precision() < 40 && value.length() < 40;
        } catch (NumberFormatException e) {
            return false;
        }
    }

    private static boolean isTime(String value) {
        try {
            OffsetDateTime time = OffsetDateTime.parse(value);
            return time.getYear() > 0 && time.getYear() < 10_000;
        } catch (DateTimeParseException e) {
            return false;
        }
    }

    private static boolean isAddress(String value) {
        try {
            boolean whole = value.indexOf(':') >= 0
                    || value.chars().filter(c -> c == '.').count() == 3;
            return whole
                    && value.indexOf('%') < 0
                    && InetAddress.ofLiteral(value).getAddress().length > 0;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }
}
