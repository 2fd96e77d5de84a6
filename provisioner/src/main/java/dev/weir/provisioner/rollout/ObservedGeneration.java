// SPDX-License-Identifier: Apache-2.0
package dev.weir.provisioner.rollout;

import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Derives what the edge runs of one load balancer. Pure. */
final class ObservedGeneration {
    /**
     * A record that is in the log.
     *
     * @param stableGeneration null: it holds one configuration; else what PoPs run that are not of
     *     {@code candidatePopIds}
     */
    record Published(
            long epoch,
            long sequence,
            long offset,
            long generation,
            Set<UUID> popIds,
            @Nullable Long stableGeneration,
            Set<UUID> candidatePopIds) {

        long generationAt(UUID popId) {
            return stableGeneration == null || candidatePopIds.contains(popId) ? generation : stableGeneration;
        }

        boolean newerThan(Refused refused) {
            return epoch > refused.epoch() || epoch == refused.epoch() && sequence > refused.sequence();
        }
    }

    /** @param position of the load balancer's partition, see {@code PartitionWatermark}; 0: nothing was said of it */
    record Node(UUID id, UUID popId, boolean reachable, long position) {
        /** For a load balancer of which flows drain there: not as far as its partition. */
        Node heldAt(long limit) {
            return new Node(id, popId, reachable, Math.min(position, limit));
        }
    }

    /** @param runningGeneration what the node runs on with; 0: nothing */
    record Refused(UUID nodeId, long epoch, long sequence, long runningGeneration) {}

    private ObservedGeneration() {}

    /**
     * The highest generation that all reachable nodes run that it is placed on. Nodes that are silent are not waited for.
     *
     * @param records the newest, and older ones that some node may still run
     * @return 0 if there are reachable placed nodes, and no generation that all of them run; empty if no placed node is
     *     reachable although the placement is not empty: the value from before holds on
     */
    static OptionalLong derive(Collection<Published> records, Collection<Node> nodes, Collection<Refused> refusals) {
        List<Published> newestFirst = records.stream()
                .sorted(Comparator.comparingLong(Published::epoch)
                        .thenComparingLong(Published::sequence)
                        .reversed())
                .toList();
        if (newestFirst.isEmpty()) {
            return OptionalLong.empty();
        }
        Published newest = newestFirst.getFirst();
        if (newest.popIds().isEmpty()) {
            return OptionalLong.of(newest.generation());
        }
        if (nodes.stream().noneMatch(node -> node.reachable() && newest.popIds().contains(node.popId()))) {
            return OptionalLong.empty();
        }
        for (Published record : newestFirst) {
            List<Node> placed = nodes.stream()
                    .filter(node -> node.reachable() && record.popIds().contains(node.popId()))
                    .toList();
            if (!placed.isEmpty() && placed.stream().allMatch(node -> runs(node, record, refusals))) {
                return placed.stream()
                        .mapToLong(node -> record.generationAt(node.popId()))
                        .min();
            }
        }
        // Nodes that refused every record that is left may still share an older generation.
        return OptionalLong.of(nodes.stream()
                .filter(node -> node.reachable() && newest.popIds().contains(node.popId()))
                .mapToLong(node -> refusals.stream()
                        .filter(refused -> refused.nodeId().equals(node.id()))
                        .mapToLong(Refused::runningGeneration)
                        .findFirst()
                        .orElse(passed(node, newestFirst)))
                .min()
                .orElse(0));
    }

    private static long passed(Node node, List<Published> newestFirst) {
        return newestFirst.stream()
                .filter(record -> node.position() > record.offset())
                .mapToLong(record -> record.generationAt(node.popId()))
                .findFirst()
                .orElse(0);
    }

    private static boolean runs(Node node, Published record, Collection<Refused> refusals) {
        if (node.position() <= record.offset()) {
            return false;
        }
        for (Refused refused : refusals) {
            if (refused.nodeId().equals(node.id()) && !record.newerThan(refused)) {
                return refused.runningGeneration() >= record.generationAt(node.popId());
            }
        }
        return true;
    }
}
