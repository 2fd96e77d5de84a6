// SPDX-License-Identifier: Apache-2.0
package dev.weir.openapi;

import static dev.weir.openapi.Document.list;
import static dev.weir.openapi.Document.map;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a client of the older contract would stumble over in the newer one. A request may only become laxer and an answer
 * only say more. New values of an enum in an answer are no break: clients are told to expect them.
 */
final class BreakingChanges {
    private final Document older;
    private final Document newer;
    private final List<String> found = new ArrayList<>();
    private final Set<String> compared = new HashSet<>();

    private BreakingChanges(Document older, Document newer) {
        this.older = older;
        this.newer = newer;
    }

    static List<String> between(Document older, Document newer) {
        BreakingChanges changes = new BreakingChanges(older, newer);
        changes.compare();
        return changes.found;
    }

    private void compare() {
        Map<String, Document.Operation> now = newer.operations();
        older.operations().forEach((key, before) -> {
            Document.Operation after = now.get(key);
            if (after == null) {
                found.add(key + ": removed");
            } else {
                compare(key, before, after);
            }
        });
    }

    private void compare(String at, Document.Operation before, Document.Operation after) {
        if (!before.id().equals(after.id())) {
            found.add("%s: operationId %s became %s".formatted(at, before.id(), after.id()));
        }
        Object permission = before.definition().get("x-permission");
        if (!Objects.equals(permission, after.definition().get("x-permission"))) {
            found.add("%s: x-permission %s became %s"
                    .formatted(at, permission, after.definition().get("x-permission")));
        }
        parameters(at, before, after);
        Map<String, Object> bodyBefore = older.body(before.definition().get("requestBody"));
        Map<String, Object> bodyAfter = newer.body(after.definition().get("requestBody"));
        if (!bodyBefore.isEmpty() && bodyAfter.isEmpty()) {
            found.add(at + ": takes no body any more");
        } else {
            boolean required = Boolean.TRUE.equals(
                    newer.resolve(after.definition().get("requestBody")).get("required"));
            if (bodyBefore.isEmpty() && required) {
                found.add(at + ": needs a body now");
            } else if (!bodyBefore.isEmpty()) {
                request(at + " body", bodyBefore, bodyAfter);
            }
        }
        Map<String, Object> answers = map(after.definition().get("responses"));
        map(before.definition().get("responses")).forEach((status, answer) -> {
            if (!answers.containsKey(status)) {
                found.add("%s: answers no %s any more".formatted(at, status));
            } else {
                answer(at + " " + status, older.body(answer), newer.body(answers.get(status)));
            }
        });
    }

    private void parameters(String at, Document.Operation before, Document.Operation after) {
        for (Map<String, Object> parameter : before.parameters()) {
            Map<String, Object> same = find(after, parameter);
            if (same == null) {
                found.add("%s: parameter %s removed".formatted(at, parameter.get("name")));
            } else {
                if (required(same) && !required(parameter)) {
                    found.add("%s: parameter %s is required now".formatted(at, parameter.get("name")));
                }
                request(
                        "%s %s".formatted(at, parameter.get("name")),
                        map(parameter.get("schema")),
                        map(same.get("schema")));
            }
        }
        after.parameters().stream()
                .filter(BreakingChanges::required)
                .filter(parameter -> find(before, parameter) == null)
                .forEach(parameter -> found.add("%s: new required parameter %s".formatted(at, parameter.get("name"))));
    }

    private static boolean required(Map<String, Object> parameter) {
        return Boolean.TRUE.equals(parameter.get("required"));
    }

    private static @Nullable Map<String, Object> find(Document.Operation in, Map<String, Object> parameter) {
        return in.parameters().stream()
                .filter(one -> Objects.equals(one.get("name"), parameter.get("name"))
                        && Objects.equals(one.get("in"), parameter.get("in")))
                .findFirst()
                .orElse(null);
    }

    /** A value that was good must be good still. */
    private void request(String at, Map<String, Object> schemaBefore, Map<String, Object> schemaAfter) {
        if (!compared.add("request " + at)) {
            return;
        }
        Map<String, Object> before = older.resolve(schemaBefore);
        Map<String, Object> after = newer.resolve(schemaAfter);
        types(at, before, after, true);
        limits(at, before, after);
        if (!list(after.get("enum")).isEmpty()) {
            Set<Object> gone = new HashSet<>(list(before.get("enum")));
            gone.removeAll(list(after.get("enum")));
            if (list(before.get("enum")).isEmpty() || !gone.isEmpty()) {
                found.add("%s: takes no %s any more".formatted(at, gone.isEmpty() ? "other values" : gone));
            }
        }
        Map<String, Object> properties = map(after.get("properties"));
        map(before.get("properties")).forEach((name, property) -> {
            if (properties.containsKey(name)) {
                request(at + "/" + name, map(property), map(properties.get(name)));
            } else if (Boolean.FALSE.equals(after.get("additionalProperties"))) {
                found.add("%s: property %s removed".formatted(at, name));
            }
        });
        Set<Object> needed = new HashSet<>(list(after.get("required")));
        needed.removeAll(list(before.get("required")));
        if (!needed.isEmpty()) {
            found.add("%s: %s required now".formatted(at, needed));
        }
        if (before.containsKey("items")) {
            request(at + "/items", map(before.get("items")), map(after.get("items")));
        }
    }

    private void limits(String at, Map<String, Object> before, Map<String, Object> after) {
        for (String most : List.of("maximum", "maxLength", "maxItems", "maxProperties")) {
            if (tighter(before.get(most), after.get(most), 1)) {
                found.add("%s: %s %s became %s".formatted(at, most, before.get(most), after.get(most)));
            }
        }
        for (String least : List.of("minimum", "minLength", "minItems")) {
            if (tighter(before.get(least), after.get(least), -1)) {
                found.add("%s: %s %s became %s".formatted(at, least, before.get(least), after.get(least)));
            }
        }
        if (after.get("pattern") != null && !Objects.equals(before.get("pattern"), after.get("pattern"))) {
            found.add("%s: another pattern, %s".formatted(at, after.get("pattern")));
        }
        if (before.get("default") != null && !Objects.equals(before.get("default"), after.get("default"))) {
            found.add("%s: default %s became %s".formatted(at, before.get("default"), after.get("default")));
        }
    }

    private static boolean tighter(@Nullable Object before, @Nullable Object after, int direction) {
        if (after == null) {
            return false;
        }
        if (before == null) {
            return true;
        }
        int order = new BigDecimal(before.toString()).compareTo(new BigDecimal(after.toString()));
        return Integer.signum(order) == direction;
    }

    /** What a client reads must be there still, and mean the same. */
    private void answer(String at, Map<String, Object> schemaBefore, Map<String, Object> schemaAfter) {
        Map<String, Object> before = older.resolve(schemaBefore);
        Map<String, Object> after = newer.resolve(schemaAfter);
        if (!compared.add("answer " + at) || before.isEmpty()) {
            return;
        }
        types(at, before, after, false);
        Map<String, Object> properties = map(after.get("properties"));
        map(before.get("properties")).forEach((name, property) -> {
            if (properties.containsKey(name)) {
                answer(at + "/" + name, map(property), map(properties.get(name)));
            } else {
                found.add("%s: property %s removed".formatted(at, name));
            }
        });
        Set<Object> maybe = new HashSet<>(list(before.get("required")));
        maybe.removeAll(list(after.get("required")));
        if (!maybe.isEmpty()) {
            found.add("%s: %s not always there any more".formatted(at, maybe));
        }
        if (before.containsKey("items")) {
            answer(at + "/items", map(before.get("items")), map(after.get("items")));
        }
    }

    private void types(String at, Map<String, Object> before, Map<String, Object> after, boolean request) {
        Set<String> typesBefore = types(before);
        Set<String> typesAfter = types(after);
        boolean fits = request ? typesAfter.containsAll(typesBefore) : typesBefore.containsAll(typesAfter);
        if (!fits) {
            found.add("%s: type %s became %s".formatted(at, typesBefore, typesAfter));
        }
        if (!Objects.equals(before.get("format"), after.get("format"))) {
            found.add("%s: format %s became %s".formatted(at, before.get("format"), after.get("format")));
        }
    }

    private static Set<String> types(Map<String, Object> schema) {
        Object type = schema.get("type");
        Set<String> types = new HashSet<>();
        if (type instanceof List<?> several) {
            several.forEach(one -> types.add(String.valueOf(one)));
        } else if (type != null) {
            types.add(type.toString());
        }
        return types;
    }
}
