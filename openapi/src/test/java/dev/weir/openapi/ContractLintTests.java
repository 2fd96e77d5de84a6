// SPDX-License-Identifier: Apache-2.0
package dev.weir.openapi;

import static dev.weir.openapi.Document.list;
import static dev.weir.openapi.Document.map;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.OffsetDateTime;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** How the contract must be written. */
class ContractLintTests {
    private static final String PERMISSION = "public|authenticated|operator|project:(viewer|maintainer|editor|admin)";

    private static Document contract;

    @BeforeAll
    static void read() throws IOException {
        contract = new Document(Files.readString(Path.of("target", "contract", "openapi.bundled.yaml")));
    }

    private static void eachSchema(BiConsumer<String, Map<String, Object>> visit) {
        contract.schemas().forEach((name, schema) -> each(name, map(schema), visit));
        contract.operations()
                .forEach((key, operation) -> operation
                        .parameters()
                        .forEach(parameter -> each(
                                operation.id() + " " + parameter.get("name"), map(parameter.get("schema")), visit)));
    }

    private static void each(String at, Map<String, Object> schema, BiConsumer<String, Map<String, Object>> visit) {
        visit.accept(at, schema);
        map(schema.get("properties")).forEach((name, property) -> each(at + "/" + name, map(property), visit));
        for (String part : List.of("items", "additionalProperties")) {
            if (schema.get(part) instanceof Map<?, ?>) {
                each(at + "/" + part, map(schema.get(part)), visit);
            }
        }
    }

    @Test
    void everyOperationSaysWhoMayCallIt() {
        assertThat(contract.operations().values()).allSatisfy(operation -> {
            String permission = String.valueOf(operation.definition().get("x-permission"));
            assertThat(permission).as(operation.id()).matches("(%1$s)( or (%1$s))*".formatted(PERMISSION));
            boolean open = permission.equals("public");
            assertThat(operation.definition().containsKey("security"))
                    .as(operation.id())
                    .isEqualTo(open);
        });
    }

    @Test
    void operationsAreNamedAlike() {
        assertThat(contract.operations().values().stream().map(Document.Operation::id))
                .doesNotHaveDuplicates()
                .allMatch(id -> id.matches("[a-z]+([A-Z][a-z0-9]*)+"));
        assertThat(contract.operations().values()).allSatisfy(operation -> {
            assertThat(String.valueOf(operation.definition().get("summary")))
                    .as(operation.id())
                    .matches("[A-Z].*[^.]");
            assertThat(map(contract.resolve(
                                    map(operation.definition().get("responses")).get("default"))
                            .get("content")))
                    .as(operation.id())
                    .satisfiesAnyOf(
                            content -> assertThat(content).containsKey("application/problem+json"),
                            content -> assertThat(operation.path()).startsWith("/healthz/"));
        });
    }

    @Test
    void pathsParametersAndPropertiesAreSpelledAlike() {
        List<String> misspelled = new ArrayList<>();
        contract.operations().values().forEach(operation -> {
            if (!operation.path().matches("(/[a-z0-9.-]+|/\\{[a-z_]+})+(:[a-z-]+)?")) {
                misspelled.add(operation.path());
            }
            operation.parameters().forEach(parameter -> {
                String spelling =
                        "header".equals(parameter.get("in")) ? "[A-Z][A-Za-z]*(-[A-Z][A-Za-z]*)*" : "[a-z][a-z0-9_]*";
                if (!String.valueOf(parameter.get("name")).matches(spelling)) {
                    misspelled.add(operation.id() + " " + parameter.get("name"));
                }
            });
        });
        eachSchema((at, schema) -> {
            map(schema.get("properties")).keySet().stream()
                    .filter(name -> !name.matches("[a-z][a-z0-9_]*"))
                    .forEach(name -> misspelled.add(at + "/" + name));
            list(schema.get("enum")).stream()
                    .filter(value -> value instanceof String text && !text.matches("[a-z0-9_]+"))
                    .forEach(value -> misspelled.add(at + ": " + value));
        });

        assertThat(misspelled).isEmpty();
    }

    @Test
    void everyPropertyAndParameterIsDescribed() {
        TreeSet<String> silent = new TreeSet<>();
        eachSchema((at, schema) -> map(schema.get("properties")).forEach((name, property) -> {
            // What is referred to describes itself.
            if (map(property).get("description") == null
                    && contract.resolve(property).get("description") == null) {
                silent.add(at + "/" + name);
            }
        }));
        contract.operations()
                .values()
                .forEach(operation -> operation.parameters().stream()
                        .filter(parameter -> parameter.get("description") == null)
                        .forEach(parameter -> silent.add(operation.id() + " " + parameter.get("name"))));
        // Of pages, the word says it.
        silent.removeIf(at -> at.endsWith("Page/items"));

        assertThat(silent).isEmpty();
    }

    @Test
    void examplesAndDefaultsAreValid() {
        List<String> wrong = new ArrayList<>();
        eachSchema((at, schema) -> {
            for (String given : List.of("example", "default")) {
                if (schema.containsKey(given)) {
                    check(at + " " + given, contract.resolve(schema), schema.get(given), wrong);
                }
            }
        });
        contract.operations()
                .values()
                .forEach(operation -> operation.parameters().stream()
                        .filter(parameter -> parameter.containsKey("example"))
                        .forEach(parameter -> check(
                                operation.id() + " " + parameter.get("name"),
                                contract.resolve(parameter.get("schema")),
                                parameter.get("example"),
                                wrong)));

        assertThat(wrong).isEmpty();
    }

    private static void check(String at, Map<String, Object> schema, @Nullable Object value, List<String> wrong) {
        List<Object> types = schema.get("type") instanceof List<?> several
                ? list(several)
                : schema.get("type") == null ? List.of() : List.of(String.valueOf(schema.get("type")));
        if (!types.isEmpty() && types.stream().noneMatch(type -> isA(String.valueOf(type), value))) {
            wrong.add("%s: %s is not of type %s".formatted(at, value, types));
            return;
        }
        if (!list(schema.get("enum")).isEmpty() && !list(schema.get("enum")).contains(value)) {
            wrong.add("%s: %s is not one of %s".formatted(at, value, schema.get("enum")));
        }
        switch (value) {
            case String text -> checkText(at, schema, text, wrong);
            case Number number -> checkNumber(at, schema, new BigDecimal(number.toString()), wrong);
            case List<?> items ->
                items.forEach(item -> check(at + "/items", contract.resolve(schema.get("items")), item, wrong));
            case Map<?, ?> object -> {
                Map<String, Object> properties = map(schema.get("properties"));
                map(object).forEach((name, item) -> {
                    if (properties.containsKey(name)) {
                        check(at + "/" + name, contract.resolve(properties.get(name)), item, wrong);
                    }
                });
            }
            case null, default -> {}
        }
    }

    private static void checkText(String at, Map<String, Object> schema, String text, List<String> wrong) {
        if (schema.get("pattern") instanceof String pattern && !text.matches(".*(" + pattern + ").*")) {
            wrong.add("%s: %s does not match %s".formatted(at, text, pattern));
        }
        if (schema.get("maxLength") instanceof Integer most && text.length() > most) {
            wrong.add("%s: %s is too long".formatted(at, text));
        }
        if ("date-time".equals(schema.get("format"))) {
            try {
                OffsetDateTime.parse(text);
            } catch (DateTimeParseException e) {
                wrong.add("%s: %s is no time".formatted(at, text));
            }
        }
    }

    private static void checkNumber(String at, Map<String, Object> schema, BigDecimal number, List<String> wrong) {
        boolean low = schema.get("minimum") != null
                && number.compareTo(new BigDecimal(schema.get("minimum").toString())) < 0;
        boolean high = schema.get("maximum") != null
                && number.compareTo(new BigDecimal(schema.get("maximum").toString())) > 0;
        if (low || high) {
            wrong.add("%s: %s is out of range".formatted(at, number));
        }
    }

    private static boolean isA(String type, @Nullable Object value) {
        return switch (type) {
            case "string" -> value instanceof String || value instanceof java.util.Date;
            case "boolean" -> value instanceof Boolean;
            case "integer" -> value instanceof Integer || value instanceof Long;
            case "number" -> value instanceof Number;
            case "array" -> value instanceof List;
            case "object" -> value instanceof Map;
            case "null" -> value == null;
            default -> false;
        };
    }
}
