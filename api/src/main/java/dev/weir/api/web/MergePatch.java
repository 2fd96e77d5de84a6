// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.web;

import java.util.Collection;
import java.util.Map;
import java.util.Set;
import org.springframework.stereotype.Component;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** Applies the body of a PATCH to what is there, as RFC 7396 says: absent keeps, null removes. */
@Component
public final class MergePatch {
    private final JsonMapper json;

    MergePatch(JsonMapper json) {
        this.json = json;
    }

    /** The properties that the current request's body names. */
    public Set<String> properties() {
        return Set.copyOf(body().propertyNames());
    }

    /**
     * @param current as it is answered
     * @param without properties of it that the new spec does not take over
     * @return the spec that the current request's body makes of it
     */
    public <T> T apply(Object current, Collection<String> without, Class<T> spec) {
        ObjectNode merged = json.valueToTree(current);
        merged.remove(without);
        merge(merged, body());
        return json.treeToValue(merged, spec);
    }

    private ObjectNode body() {
        // Checked against the contract before: it is an object.
        return (ObjectNode) json.readTree((byte[]) Trace.request().getAttribute(ContractBodyAdvice.BODY));
    }

    private static void merge(ObjectNode target, ObjectNode patch) {
        for (Map.Entry<String, JsonNode> entry : patch.properties()) {
            JsonNode value = entry.getValue();
            if (value.isNull()) {
                target.remove(entry.getKey());
            } else if (value instanceof ObjectNode change && target.get(entry.getKey()) instanceof ObjectNode inner) {
                merge(inner, change);
            } else {
                target.set(entry.getKey(), value);
            }
        }
    }
}
