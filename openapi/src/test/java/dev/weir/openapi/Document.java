// SPDX-License-Identifier: Apache-2.0
package dev.weir.openapi;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/** A contract in one file, with its references followed. */
final class Document {
    private final Map<String, Object> root;

    Document(String yaml) {
        root = new Yaml(new SafeConstructor(new LoaderOptions())).load(yaml);
    }

    Map<String, Object> root() {
        return root;
    }

    /** @param parameters of the operation and of its path, resolved */
    record Operation(String method, String path, Map<String, Object> definition, List<Map<String, Object>> parameters) {
        String id() {
            return String.valueOf(definition.get("operationId"));
        }
    }

    /** By method and path. */
    Map<String, Operation> operations() {
        Map<String, Operation> operations = new LinkedHashMap<>();
        map(root.get("paths"))
                .forEach((path, item) -> map(item).forEach((method, value) -> {
                    if (!method.equals("parameters")) {
                        List<Map<String, Object>> parameters = new ArrayList<>();
                        list(map(item).get("parameters")).forEach(one -> parameters.add(resolve(one)));
                        list(map(value).get("parameters")).forEach(one -> parameters.add(resolve(one)));
                        operations.put(method + " " + path, new Operation(method, path, map(value), parameters));
                    }
                }));
        return operations;
    }

    Map<String, Object> schemas() {
        return map(map(root.get("components")).get("schemas"));
    }

    /** The schema of a JSON body; empty where there is none. */
    Map<String, Object> body(@Nullable Object holder) {
        Map<String, Object> content = map(resolve(holder).get("content"));
        Object media = content.get("application/json");
        return map(map(media).get("schema"));
    }

    Map<String, Object> resolve(@Nullable Object value) {
        if (map(value).get("$ref") instanceof String reference) {
            Object at = root;
            for (String step : reference.substring(2).split("/", -1)) {
                at = map(at).get(step);
            }
            return resolve(Objects.requireNonNull(at, reference));
        }
        return map(value);
    }

    @SuppressWarnings("unchecked")
    static Map<String, Object> map(@Nullable Object value) {
        return value instanceof Map<?, ?> map ? (Map<String, Object>) map : Map.of();
    }

    @SuppressWarnings("unchecked")
    static List<Object> list(@Nullable Object value) {
        return value instanceof List<?> list ? (List<Object>) list : List.of();
    }
}
