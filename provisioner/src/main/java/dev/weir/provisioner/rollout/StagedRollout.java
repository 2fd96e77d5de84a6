// SPDX-License-Identifier: Apache-2.0
package dev.weir.provisioner.rollout;

import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;

/**
 * A revision's way through the PoPs.
 *
 * @param candidatePopIds PoPs of the waves so far
 * @param allPopIds all that are concerned, in the order of the waves
 */
public record StagedRollout(
        UUID projectId,
        UUID loadBalancerId,
        Stable stable,
        UUID candidateRevisionId,
        long candidateGeneration,
        State state,
        int wave,
        List<UUID> candidatePopIds,
        List<UUID> allPopIds) {

    /** What goes on running outside of the waves, with what its compilation depended on. */
    public record Stable(
            long generation,
            String tree,
            Instant committedAt,
            Map<UUID, Integer> maglevTableSizes,
            Map<UUID, Long> servingSinceUs) {}

    public enum State {
        RUNNING,
        STOPPED,
        PROMOTED,
        REVERTED;

        static State of(String text) {
            return valueOf(text.toUpperCase(Locale.ROOT));
        }

        String text() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    StagedRollout over(List<UUID> candidates, List<UUID> all) {
        return new StagedRollout(
                projectId,
                loadBalancerId,
                stable,
                candidateRevisionId,
                candidateGeneration,
                state,
                wave,
                candidates,
                all);
    }

    /** The PoPs up to the next wave, each of which doubles them; those of now if this is the last one. */
    List<UUID> nextPopIds() {
        return allPopIds.subList(0, Math.min(allPopIds.size(), 2 * candidatePopIds.size()));
    }
}
