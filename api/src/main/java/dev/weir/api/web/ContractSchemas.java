// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.web;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import tools.jackson.databind.JsonNode;

/**
 * The schemas of the contract, to check bodies by: every fault is found, each with its JSON Pointer. Knows the part of
 * JSON Schema that the contract uses, and refuses to load a contract that uses more.
 */
public final class ContractSchemas {
    /** Where the contract lies on the class path. */
    public static final String RESOURCE = "/dev/weir/openapi/openapi.bundled.yaml";

    private static final String REFERENCE = "#/components/schemas/";
    /** Keywords that say nothing about whether a value is valid. */
    private static final Set<String> ANNOTATIONS = Set.of("description", "example", "default", "title");

    /** One schema; {@code null} and empty mean that it does not restrict this. */
    private record Schema(
            Set<String> types,
            Set<String> allowed,
            @Nullable BigDecimal minimum,
            @Nullable BigDecimal maximum,
            @Nullable Integer minLength,
            @Nullable Integer maxLength,
            @Nullable Pattern pattern,
            @Nullable String format,
            @Nullable Integer minItems,
            @Nullable Integer maxItems,
            boolean uniqueItems,
            @Nullable Schema items,
            Map<String, Schema> properties,
            Set<String> required,
            boolean closed,
            @Nullable Schema additional,
            @Nullable Integer maxProperties,
            @Nullable Schema propertyNames) {}

    private final Map<String, Object> definitions;
    private final Map<String, Schema> schemas = new LinkedHashMap<>();

    @SuppressWarnings("unchecked")
    public ContractSchemas() {
        Map<String, Object> contract = new Yaml(new SafeConstructor(new LoaderOptions())).load(text());
        Map<String, Object> components = (Map<String, Object>) Objects.requireNonNull(contract.get("components"));
        definitions = (Map<String, Object>) Objects.requireNonNull(components.get("schemas"));
        definitions.keySet().forEach(this::named);
    }

    /** The contract as one file. */
    public static String text() {
        try (InputStream in = ContractSchemas.class.getResourceAsStream(RESOURCE)) {
            return new String(Objects.requireNonNull(in).readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public boolean has(String name) {
        return schemas.containsKey(name);
    }

    /** All faults of a value, none if it is valid. */
    public List<FieldFault> check(String name, JsonNode value) {
        List<FieldFault> faults = new ArrayList<>();
        check(Objects.requireNonNull(schemas.get(name), name), value, "", faults);
        return faults;
    }

    private Schema named(String name) {
        Schema known = schemas.get(name);
        if (known != null) {
            return known;
        }
        Object definition = Objects.requireNonNull(definitions.get(name), name);
        Schema schema = parse(definition, name);
        schemas.put(name, schema);
        return schema;
    }

    @SuppressWarnings("unchecked")
    private Schema parse(Object definition, String at) {
        Map<String, Object> map = (Map<String, Object>) definition;
        if (map.get("$ref") instanceof String reference) {
            // Beside a reference the contract has descriptions only.
            return named(reference.substring(REFERENCE.length()));
        }
        Set<String> unknown = new HashSet<>(map.keySet());
        unknown.removeAll(ANNOTATIONS);
        unknown.removeAll(KEYWORDS);
        if (!unknown.isEmpty()) {
            throw new IllegalStateException("unknown keywords in the schema " + at + ": " + unknown);
        }
        Map<String, Schema> properties = new LinkedHashMap<>();
        ((Map<String, Object>) map.getOrDefault("properties", Map.of()))
                .forEach((key, value) -> properties.put(key, parse(value, at + "/" + key)));
        Object additional = map.get("additionalProperties");
        return new Schema(
                strings(map.get("type")),
                strings(map.get("enum")),
                number(map.get("minimum")),
                number(map.get("maximum")),
                (Integer) map.get("minLength"),
                (Integer) map.get("maxLength"),
                map.get("pattern") instanceof String pattern ? Pattern.compile(pattern) : null,
                (String) map.get("format"),
                (Integer) map.get("minItems"),
                (Integer) map.get("maxItems"),
                Boolean.TRUE.equals(map.get("uniqueItems")),
                map.get("items") == null ? null : parse(map.get("items"), at + "/items"),
                properties,
                strings(map.get("required")),
                Boolean.FALSE.equals(additional),
                additional instanceof Map<?, ?> ? parse(additional, at + "/additionalProperties") : null,
                (Integer) map.get("maxProperties"),
                map.get("propertyNames") == null ? null : parse(map.get("propertyNames"), at + "/propertyNames"));
    }

    private static final Set<String> KEYWORDS = Set.of(
            "type",
            "enum",
            "minimum",
            "maximum",
            "minLength",
            "maxLength",
            "pattern",
            "format",
            "minItems",
            "maxItems",
            "uniqueItems",
            "items",
            "properties",
            "required",
            "additionalProperties",
            "maxProperties",
            "propertyNames");

    private static Set<String> strings(@Nullable Object value) {
        Set<String> strings = new java.util.LinkedHashSet<>();
        switch (value) {
            case null -> {}
            case List<?> list -> list.forEach(item -> strings.add(String.valueOf(item)));
            default -> strings.add(value.toString());
        }
        return strings;
    }

    private static @Nullable BigDecimal number(@Nullable Object value) {
        return value == null ? null : new BigDecimal(value.toString());
    }

    private void check(Schema schema, JsonNode value, String at, List<FieldFault> faults) {
        if (!schema.types.isEmpty() && schema.types.stream().noneMatch(type -> isA(type, schema, value))) {
            faults.add(new FieldFault(
                    at,
                    "WRONG_TYPE",
                    "must be of type %s, not %s".formatted(String.join(" or ", schema.types), typeOf(value))));
            return;
        }
        if (value.isString()) {
            checkString(schema, value.stringValue(), at, faults);
        } else if (value.isNumber()) {
            checkNumber(schema, value.decimalValue(), at, faults);
        } else if (value.isArray()) {
            checkArray(schema, value, at, faults);
        } else if (value.isObject()) {
            checkObject(schema, value, at, faults);
        }
    }

    private static boolean isA(String type, Schema schema, JsonNode value) {
        return switch (type) {
            case "string" -> value.isString();
            case "boolean" -> value.isBoolean();
            case "integer" ->
                "int32".equals(schema.format)
                        ? value.isIntegralNumber() && value.canConvertToInt()
                        : value.isIntegralNumber() && value.canConvertToLong();
            case "number" -> value.isNumber();
            case "array" -> value.isArray();
            case "object" -> value.isObject();
            case "null" -> value.isNull();
            default -> throw new IllegalStateException("unknown type in the contract: " + type);
        };
    }

    private static String typeOf(JsonNode value) {
        if (value.isNumber()) {
            return value.isIntegralNumber() ? "an integer that is this large" : "a number";
        }
        return switch (value.getNodeType()) {
            case NULL -> "null";
            case STRING -> "a string";
            case BOOLEAN -> "a boolean";
            case ARRAY -> "an array";
            case OBJECT -> "an object";
            case NUMBER, BINARY, MISSING, POJO -> "this";
        };
    }

    private static void checkString(Schema schema, String value, String at, List<FieldFault> faults) {
        if (!schema.allowed.isEmpty() && !schema.allowed.contains(value)) {
            faults.add(new FieldFault(at, "UNKNOWN_VALUE", "must be one of " + String.join(", ", schema.allowed)));
        }
        int length = value.codePointCount(0, value.length());
        if (schema.minLength != null && length < schema.minLength) {
            faults.add(new FieldFault(at, "TOO_SHORT", "must have at least %d characters".formatted(schema.minLength)));
        }
        if (schema.maxLength != null && length > schema.maxLength) {
            faults.add(new FieldFault(at, "TOO_LONG", "must have at most %d characters".formatted(schema.maxLength)));
        }
        if (schema.pattern != null && !schema.pattern.matcher(value).find()) {
            faults.add(new FieldFault(at, "WRONG_FORMAT", "must match " + schema.pattern));
        }
        if (value.indexOf('\0') >= 0) {
            faults.add(new FieldFault(at, "WRONG_FORMAT", "must not contain the character U+0000"));
        }
    }

    private static void checkNumber(Schema schema, BigDecimal value, String at, List<FieldFault> faults) {
        boolean tooSmall = schema.minimum != null && value.compareTo(schema.minimum) < 0;
        boolean tooLarge = schema.maximum != null && value.compareTo(schema.maximum) > 0;
        if (tooSmall || tooLarge) {
            String range = schema.maximum == null
                    ? "at least %s".formatted(schema.minimum)
                    : schema.minimum == null
                            ? "at most %s".formatted(schema.maximum)
                            : "from %s to %s".formatted(schema.minimum, schema.maximum);
            faults.add(new FieldFault(at, "VALUE_OUT_OF_RANGE", "must be " + range));
        }
    }

    private void checkArray(Schema schema, JsonNode value, String at, List<FieldFault> faults) {
        if (schema.minItems != null && value.size() < schema.minItems) {
            faults.add(new FieldFault(at, "TOO_FEW", "must have at least %d items".formatted(schema.minItems)));
        }
        if (schema.maxItems != null && value.size() > schema.maxItems) {
            faults.add(new FieldFault(at, "TOO_MANY", "must have at most %d items".formatted(schema.maxItems)));
            return;
        }
        Set<JsonNode> seen = new HashSet<>();
        for (int i = 0; i < value.size(); i++) {
            JsonNode item = value.get(i);
            if (schema.uniqueItems && !seen.add(item)) {
                faults.add(new FieldFault(at + "/" + i, "NOT_UNIQUE", "is already in the list"));
            }
            if (schema.items != null) {
                check(schema.items, item, at + "/" + i, faults);
            }
        }
    }

    private void checkObject(Schema schema, JsonNode value, String at, List<FieldFault> faults) {
        for (String name : schema.required) {
            if (!value.has(name)) {
                faults.add(new FieldFault(at + "/" + FieldFault.token(name), "REQUIRED", "is missing"));
            }
        }
        if (schema.maxProperties != null && value.size() > schema.maxProperties) {
            faults.add(new FieldFault(at, "TOO_MANY", "must have at most %d entries".formatted(schema.maxProperties)));
            return;
        }
        value.properties().forEach(property -> {
            String name = property.getKey();
            String here = at + "/" + FieldFault.token(name);
            Schema known = schema.properties.get(name);
            if (known != null) {
                check(known, property.getValue(), here, faults);
            } else if (schema.additional != null) {
                if (schema.propertyNames != null) {
                    checkString(schema.propertyNames, name, here, faults);
                }
                check(schema.additional, property.getValue(), here, faults);
            } else if (schema.closed) {
                faults.add(new FieldFault(here, "UNKNOWN_PROPERTY", "there is no such property"));
            }
        });
    }
}
