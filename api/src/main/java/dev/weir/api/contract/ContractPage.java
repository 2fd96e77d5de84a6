// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.contract;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.web.util.HtmlUtils;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/** The contract as one page of HTML: operations by tag, then schemas. */
final class ContractPage {
    /** What the page may load: nothing but its own style. */
    static final String SECURITY_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'";

    private static final String STYLE = """
            body{font:15px/1.5 system-ui,sans-serif;margin:0 auto;max-width:70rem;padding:1rem 2rem;color:#1a1d21;background:#fff}
            nav ul{columns:3;padding-left:1rem}h2{border-bottom:1px solid #ccd;margin-top:3rem}h3{margin:2rem 0 .3rem}
            code{font:13px ui-monospace,monospace}.method{display:inline-block;min-width:4.5rem;font-weight:700}
            table{border-collapse:collapse;width:100%;margin:.5rem 0}th,td{text-align:left;vertical-align:top;
            padding:.25rem .6rem .25rem 0;border-bottom:1px solid #e5e8ee}th{font-weight:600}.needs{color:#555}
            @media(prefers-color-scheme:dark){body{background:#15181c;color:#e3e6ea}a{color:#8ab4f8}.needs{color:#aaa}
            th,td{border-color:#333}}""";

    private final Map<String, Object> contract;
    private final StringBuilder page = new StringBuilder(256 * 1024);

    private ContractPage(Map<String, Object> contract) {
        this.contract = contract;
    }

    static String of(String yaml) {
        return new ContractPage(new Yaml(new SafeConstructor(new LoaderOptions())).load(yaml)).render();
    }

    /** One operation of a path. */
    private record Operation(String method, String path, List<Object> shared, Map<String, Object> body) {
        String id() {
            return String.valueOf(body.get("operationId"));
        }
    }

    private String render() {
        Map<String, Object> info = map(contract.get("info"));
        Map<String, List<Operation>> byTag = operations();
        page.append("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">")
                .append("<meta name=\"viewport\" content=\"width=device-width\"><title>")
                .append(text(info.get("title")))
                .append(" API</title><style>")
                .append(STYLE)
                .append("</style></head><body>")
                .append("<h1>%s API %s</h1>".formatted(text(info.get("title")), text(info.get("version"))))
                .append("<p>%s</p><p><a href=\"/v1/openapi.yaml\">The contract as one file</a> for tools.</p>"
                        .formatted(text(info.get("description"))));
        byTag.forEach((tag, operations) -> {
            page.append("<nav><b>%s</b><ul>".formatted(text(tag)));
            operations.forEach(
                    operation -> page.append("<li><a href=\"#%1$s\">%1$s</a></li>".formatted(text(operation.id()))));
            page.append("</ul></nav>");
        });
        for (Object tag : list(contract.get("tags"))) {
            String name = String.valueOf(map(tag).get("name"));
            page.append("<h2>%s</h2><p>%s</p>".formatted(text(name), text(map(tag).get("description"))));
            byTag.getOrDefault(name, List.of()).forEach(this::operation);
        }
        page.append("<h2>Schemas</h2>");
        map(map(contract.get("components")).get("schemas")).forEach((name, schema) -> schema(name, map(schema)));
        return page.append("</body></html>").toString();
    }

    private Map<String, List<Operation>> operations() {
        Map<String, List<Operation>> byTag = new LinkedHashMap<>();
        map(contract.get("paths"))
                .forEach((path, item) -> map(item).forEach((method, body) -> {
                    if (!method.equals("parameters")) {
                        String tag = String.valueOf(list(map(body).get("tags")).getFirst());
                        byTag.computeIfAbsent(tag, any -> new ArrayList<>())
                                .add(new Operation(method, path, list(map(item).get("parameters")), map(body)));
                    }
                }));
        return byTag;
    }

    private void operation(Operation operation) {
        Map<String, Object> body = operation.body();
        page.append("<h3 id=\"%s\"><code><span class=\"method\">%s</span> %s</code></h3><p>%s"
                .formatted(
                        text(operation.id()),
                        text(operation.method().toUpperCase(java.util.Locale.ROOT)),
                        text(operation.path()),
                        text(body.get("summary"))));
        if (body.get("description") != null) {
            page.append(". ").append(text(body.get("description")));
        }
        page.append("</p><p class=\"needs\">Needs <code>%s</code></p>".formatted(text(body.get("x-permission"))));
        List<Object> parameters = new ArrayList<>(operation.shared());
        parameters.addAll(list(body.get("parameters")));
        if (!parameters.isEmpty()) {
            page.append("<table><tr><th>Parameter</th><th>In</th><th>Type</th><th>Meaning</th></tr>");
            parameters.stream().map(this::resolve).forEach(parameter -> {
                Map<String, Object> schema = map(parameter.get("schema"));
                row(
                        "<code>%s</code>".formatted(text(parameter.get("name"))),
                        text(parameter.get("in")),
                        type(schema),
                        text(parameter.get("description")));
            });
            page.append("</table>");
        }
        Map<String, Object> request = map(body.get("requestBody"));
        if (!request.isEmpty()) {
            page.append("<p>Body: %s</p>".formatted(content(request)));
        }
        map(body.get("responses")).forEach((status, response) -> {
            Map<String, Object> resolved = resolve(response);
            page.append("<p><code>%s</code> %s %s</p>"
                    .formatted(text(status), text(resolved.get("description")), content(resolved)));
        });
    }

    private String content(Map<String, Object> holder) {
        List<String> types = new ArrayList<>();
        map(holder.get("content"))
                .values()
                .forEach(media -> types.add(type(map(map(media).get("schema")))));
        return String.join(", ", types);
    }

    private void schema(String name, Map<String, Object> schema) {
        page.append("<h3 id=\"schema-%1$s\"><code>%1$s</code></h3><p>%2$s</p>"
                .formatted(text(name), text(schema.get("description"))));
        if (schema.get("enum") != null) {
            page.append("<p>One of <code>%s</code></p>".formatted(text(joined(schema.get("enum")))));
        }
        Map<String, Object> properties = map(schema.get("properties"));
        if (properties.isEmpty()) {
            return;
        }
        List<Object> required = list(schema.get("required"));
        page.append("<table><tr><th>Property</th><th>Type</th><th>Meaning</th></tr>");
        properties.forEach((key, value) -> {
            Map<String, Object> property = map(value);
            row(
                    "<code>%s</code>%s".formatted(text(key), required.contains(key) ? " (always)" : ""),
                    type(property) + limits(property),
                    text(property.get("description"))
                            + (property.get("example") == null
                                    ? ""
                                    : " For example <code>%s</code>.".formatted(text(property.get("example")))));
        });
        page.append("</table>");
    }

    private void row(String... cells) {
        page.append("<tr>");
        for (String cell : cells) {
            page.append("<td>").append(cell).append("</td>");
        }
        page.append("</tr>");
    }

    /** HTML. */
    private static String type(Map<String, Object> schema) {
        if (schema.get("$ref") instanceof String reference) {
            String name = reference.substring(reference.lastIndexOf('/') + 1);
            return "<a href=\"#schema-%1$s\">%1$s</a>".formatted(text(name));
        }
        if (schema.get("items") != null) {
            return "list of " + type(map(schema.get("items")));
        }
        Object format = schema.get("format");
        return text(joined(schema.get("type"))) + (format == null ? "" : " (" + text(format) + ")");
    }

    private static String limits(Map<String, Object> schema) {
        StringBuilder limits = new StringBuilder();
        for (String keyword :
                List.of("minimum", "maximum", "minLength", "maxLength", "maxItems", "pattern", "default")) {
            if (schema.get(keyword) != null) {
                limits.append("<br>%s <code>%s</code>".formatted(keyword, text(schema.get(keyword))));
            }
        }
        return limits.toString();
    }

    @SuppressWarnings("unchecked")
    private Map<String, Object> resolve(Object value) {
        if (map(value).get("$ref") instanceof String reference) {
            Object at = contract;
            for (String step : reference.substring(2).split("/", -1)) {
                at = map(at).get(step);
            }
            return map(at);
        }
        return (Map<String, Object>) value;
    }

    private static String joined(@Nullable Object value) {
        return value instanceof List<?> list
                ? String.join(", ", list.stream().map(String::valueOf).toList())
                : String.valueOf(value == null ? "" : value);
    }

    private static String text(@Nullable Object value) {
        return HtmlUtils.htmlEscape(value == null ? "" : value.toString());
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
