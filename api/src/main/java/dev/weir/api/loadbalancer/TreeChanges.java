// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.loadbalancer;

import dev.weir.compiler.LoadBalancerTree;
import dev.weir.rest.v1.model.TreeChange;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Component;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What differs between two trees, property by property, for programs. */
@Component
final class TreeChanges {
    private final JsonMapper json;

    TreeChanges(JsonMapper json) {
        this.json = json;
    }

    /** @param before null: there was none */
    List<TreeChange> between(@Nullable LoadBalancerTree before, LoadBalancerTree after) {
        List<TreeChange> changes = new ArrayList<>();
        JsonNode old =
                before == null ? json.getNodeFactory().objectNode() : json.valueToTree(RestTrees.revision(before));
        compare("", old, json.valueToTree(RestTrees.revision(after)), changes);
        return changes;
    }

    private void compare(String path, @Nullable JsonNode before, @Nullable JsonNode after, List<TreeChange> changes) {
        if (before != null && after != null) {
            if (before.equals(after)) {
                return;
            }
            if (before.isObject() && after.isObject()) {
                parts(path, members(before), members(after), changes);
                return;
            }
            if (isNamed(before) && isNamed(after)) {
                parts(path, byId(before), byId(after), changes);
                return;
            }
        }
        changes.add(new TreeChange()
                .path(path)
                .before(before == null ? null : json.treeToValue(before, Object.class))
                .after(after == null ? null : json.treeToValue(after, Object.class)));
    }

    private void parts(
            String path, Map<String, JsonNode> before, Map<String, JsonNode> after, List<TreeChange> changes) {
        Set<String> keys = new LinkedHashSet<>(before.keySet());
        keys.addAll(after.keySet());
        for (String key : keys) {
            JsonNode old = before.get(key);
            JsonNode now = after.get(key);
            compare(path + "/" + label(key, old, now), old, now, changes);
        }
    }

    /** Parts that have ids are told by their names. */
    private static String label(String key, @Nullable JsonNode before, @Nullable JsonNode after) {
        JsonNode part = after == null ? before : after;
        return part != null && part.has("id") && part.has("name")
                ? part.path("name").asString()
                : key;
    }

    private static Map<String, JsonNode> members(JsonNode object) {
        Map<String, JsonNode> members = new LinkedHashMap<>();
        object.properties().forEach(entry -> members.put(entry.getKey(), entry.getValue()));
        return members;
    }

    private static boolean isNamed(JsonNode list) {
        return list.isArray() && list.valueStream().allMatch(part -> part.has("id"));
    }

    private static Map<String, JsonNode> byId(JsonNode list) {
        Map<String, JsonNode> parts = new LinkedHashMap<>();
        list.forEach(part -> parts.put(part.path("id").asString(), part));
        return parts;
    }
}
