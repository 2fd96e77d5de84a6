// SPDX-License-Identifier: Apache-2.0
package dev.weir.compiler;

import dev.weir.compiler.LoadBalancerTree.PlacementSpec;
import java.util.Collection;
import java.util.SequencedSet;
import java.util.TreeSet;
import java.util.UUID;

/** Turns a placement into explicit PoPs. */
public final class Placement {
    private Placement() {}

    /**
     * PoPs that the placement names now, in order of their ids; unknown ones are left out. A drained PoP stays placed:
     * draining moves its routes, not its configuration.
     */
    public static SequencedSet<UUID> popIds(PlacementSpec placement, Collection<PopSite> pops) {
        TreeSet<UUID> ids = new TreeSet<>();
        for (PopSite pop : pops) {
            boolean placed = switch (placement.kind()) {
                case ALL -> true;
                case NAMED -> placement.popIds().contains(pop.id());
                // A placement by no label at all is a placement nowhere: unknown never means allowed.
                case LABELS ->
                    !placement.labels().isEmpty()
                            && pop.labels()
                                    .entrySet()
                                    .containsAll(placement.labels().entrySet());
            };
            if (placed) {
                ids.add(pop.id());
            }
        }
        return ids;
    }
}
