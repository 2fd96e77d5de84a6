// SPDX-License-Identifier: Apache-2.0
package dev.weir.api;

import dev.weir.api.web.ContractSchemas;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import tools.jackson.databind.json.JsonMapper;

/** The contract as tests walk it: its operations, and bodies that its schemas allow. */
final class Contract {
    private final Map<String, Object> root =
            new Yaml(new SafeConstructor(new LoaderOptions())).load(ContractSchemas.text());

    /**
     * @param path with its parameters in braces
     * @param permission {@code x-permission}
     * @param parameters of the path, each with the id of its example
     * @param body its schema; null: takes none
     */
    record Operation(
            String id,
            String method,
            String path,
            String permission,
            Map<String, String> parameters,
            @Nullable Map<String, Object> body) {
        boolean open() {
            return permission.equals("public");
        }

        /** Whether the path names a project. */
        boolean inProject() {
            return parameters.containsKey("project_id");
        }

        /** The path with ids in place of its parameters. */
        String path(Map<String, String> ids) {
            String filled = path;
            for (String name : parameters.keySet()) {
                filled = filled.replace("{" + name + "}", Objects.requireNonNull(ids.get(name), name));
            }
            return filled;
        }

        @Override
        public String toString() {
            return id;
        }
    }

    List<Operation> operations() {
        List<Operation> operations = new ArrayList<>();
        map(root.get("paths"))
                .forEach((path, item) -> map(item).forEach((method, value) -> {
                    if (!method.equals("parameters")) {
                        operations.add(operation(path, method, map(item), map(value)));
                    }
                }));
        return operations;
    }

    private Operation operation(String path, String method, Map<String, Object> item, Map<String, Object> value) {
        Map<String, String> parameters = new TreeMap<>();
        List<Object> all = new ArrayList<>(list(item.get("parameters")));
        all.addAll(list(value.get("parameters")));
        all.stream()
                .map(this::resolve)
                .filter(parameter -> "path".equals(parameter.get("in")))
                .forEach(parameter -> parameters.put(
                        String.valueOf(parameter.get("name")), String.valueOf(parameter.get("example"))));
        Map<String, Object> media =
                map(map(map(value.get("requestBody")).get("content")).get("application/json"));
        return new Operation(
                String.valueOf(value.get("operationId")),
                method.toUpperCase(Locale.ROOT),
                path,
                String.valueOf(value.get("x-permission")),
                parameters,
                media.isEmpty() ? null : map(media.get("schema")));
    }

    /** A body with what the schema requires, and no more. */
    Map<String, Object> smallest(Map<String, Object> schema) {
        return map(sample(schema, null));
    }

    /** Where in a body ids of other resources go: property path, such as {@code pools/0/members/0/pop_ids}. */
    Map<String, Map<String, Object>> bodiesNaming(Map<String, Object> schema, String property) {
        Map<String, Map<String, Object>> found = new LinkedHashMap<>();
        map(resolve(schema).get("properties")).keySet().stream()
                .filter(name -> name.equals(property) || name.equals(property + "s"))
                .forEach(name -> found.put(name, smallest(schema)));
        return found;
    }

    private Object sample(Map<String, Object> unresolved, @Nullable String name) {
        Map<String, Object> schema = resolve(unresolved);
        if (schema.get("enum") instanceof List<?> values) {
            return Objects.requireNonNull(values.getFirst());
        }
        Object type = schema.get("type") instanceof List<?> types ? types.getFirst() : schema.get("type");
        if ("object".equals(type) && schema.get("properties") != null) {
            Map<String, Object> properties = map(schema.get("properties"));
            Map<String, Object> value = new LinkedHashMap<>();
            list(schema.get("required"))
                    .forEach(key ->
                            value.put(String.valueOf(key), sample(map(properties.get(key)), String.valueOf(key))));
            return value;
        }
        if ("array".equals(type)) {
            int items = schema.get("minItems") instanceof Integer least ? least : 0;
            List<Object> values = new ArrayList<>();
            for (int i = 0; i < items; i++) {
                values.add(sample(map(schema.get("items")), name));
            }
            return values;
        }
        // Names are unique in their parent: each call makes its own.
        if ("name".equals(name)) {
            return RunningApi.name("attack");
        }
        if (schema.get("example") != null) {
            return schema.get("example");
        }
        return switch (String.valueOf(type)) {
            case "integer", "number" -> schema.getOrDefault("minimum", 1);
            case "boolean" -> true;
            case "object" -> Map.of();
            default -> "x".repeat(schema.get("minLength") instanceof Integer least ? least : 1);
        };
    }

    static String json(Object value) {
        return JsonMapper.shared().writeValueAsString(value);
    }

    private Map<String, Object> resolve(Object value) {
        if (map(value).get("$ref") instanceof String reference) {
            Object at = root;
            for (String step : reference.substring(2).split("/", -1)) {
                at = map(at).get(step);
            }
            return resolve(Objects.requireNonNull(at));
        }
        return map(value);
    }

    @SuppressWarnings("unchecked")
    private static Map<String, Object> map(@Nullable Object value) {
        return value instanceof Map<?, ?> map ? (Map<String, Object>) map : Map.of();
    }

    @SuppressWarnings("unchecked")
    private static List<Object> list(@Nullable Object value) {
        return value instanceof List<?> list ? (List<Object>) list : List.of();
    }
}
