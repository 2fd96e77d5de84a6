// SPDX-License-Identifier: Apache-2.0
package dev.weir.compiler;

import java.util.Map;
import java.util.Set;
import java.util.UUID;

/**
 * A PoP as placement sees it.
 *
 * @param features what every node of the PoP is known to have; empty: unknown, and then nothing is refused for it
 */
public record PopSite(UUID id, String name, Map<String, String> labels, Set<String> features) {
    public PopSite {
        labels = Map.copyOf(labels);
        features = Set.copyOf(features);
    }
}
