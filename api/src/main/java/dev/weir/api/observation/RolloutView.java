// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.observation;

import dev.weir.api.loadbalancer.LoadBalancers.Spec;
import dev.weir.api.web.Times;
import dev.weir.compiler.ResourceId;
import dev.weir.db.rollout.RolloutRows.NodeProgress;
import dev.weir.db.rollout.RolloutRows.Progress;
import dev.weir.db.rollout.RolloutRows.Published;
import dev.weir.db.rollout.RolloutRows.Rejection;
import dev.weir.rest.v1.model.NodeRollout;
import dev.weir.rest.v1.model.NodeRolloutState;
import dev.weir.rest.v1.model.Rollout;
import dev.weir.rest.v1.model.RolloutTotals;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;

/** Tells from positions, records and rejections how far each node has come. Pure. */
final class RolloutView {
    /** A change is normally published within a fraction of this. */
    private static final Duration PUBLISHING_TAKES = Duration.ofSeconds(2);

    private static final double NANOS_PER_MS = 1e6;

    private RolloutView() {}

    /** @param published newest first */
    static Rollout of(Spec spec, Progress progress, List<Published> published, List<NodeProgress> nodes, Instant now) {
        List<NodeRollout> rollouts = nodes.stream()
                .map(node -> node(spec, progress, published, node))
                .toList();
        boolean waits =
                progress.pendingSince() != null && progress.pendingSince().isBefore(now.minus(PUBLISHING_TAKES));
        Rollout rollout = new Rollout()
                .loadBalancerId(ResourceId.LOAD_BALANCER.format(spec.tree().loadBalancerId()))
                .generation(spec.generation())
                .observedGeneration(progress.observedGeneration())
                .publishingDelayed(waits)
                .committedAt(Times.of(spec.committedAt()))
                .totals(totals(rollouts))
                .nodes(rollouts);
        published.stream()
                .filter(record -> record.generation() == spec.generation())
                .map(Published::publishedAt)
                .filter(Objects::nonNull)
                .findFirst()
                .ifPresent(at -> rollout.publishedAt(Times.of(at)));
        return rollout;
    }

    private static RolloutTotals totals(List<NodeRollout> nodes) {
        return new RolloutTotals()
                .placed(nodes.size())
                .applied(count(nodes, NodeRolloutState.APPLIED))
                .pending(count(nodes, NodeRolloutState.PENDING))
                .rejected(count(nodes, NodeRolloutState.REJECTED))
                .unreachable(count(nodes, NodeRolloutState.UNREACHABLE));
    }

    private static int count(List<NodeRollout> nodes, NodeRolloutState state) {
        return (int) nodes.stream().filter(node -> node.getState() == state).count();
    }

    private static NodeRollout node(Spec spec, Progress progress, List<Published> published, NodeProgress node) {
        Rejection rejection = current(published, node.rejection());
        boolean refused = Objects.equals(progress.refusedGeneration(), spec.generation());
        long applied = rejection != null ? rejection.runningGeneration() : applied(published, node);
        NodeRollout rollout = new NodeRollout()
                .nodeId(ResourceId.NODE.format(node.nodeId()))
                .nodeName(node.nodeName())
                .popId(ResourceId.POP.format(node.popId()))
                .popName(node.popName())
                .desiredGeneration(spec.generation())
                .appliedGeneration(applied)
                .state(state(spec, node, rejection != null || refused, applied));
        if (node.lastSeenAt() != null) {
            rollout.lastSeenAt(Times.of(node.lastSeenAt()));
        }
        if (rejection != null) {
            rollout.code(rejection.code()).reason(rejection.reason());
        } else if (refused) {
            rollout.code("SPEC_REFUSED").reason(progress.refusedReason());
        }
        Instant appliedAt = node.appliedAt();
        if (appliedAt != null && applied > 0) {
            rollout.appliedAt(Times.of(appliedAt));
            if (applied == spec.generation() && !appliedAt.isBefore(spec.committedAt())) {
                rollout.lagMs(Duration.between(spec.committedAt(), appliedAt).toNanos() / NANOS_PER_MS);
            }
        }
        return rollout;
    }

    private static NodeRolloutState state(Spec spec, NodeProgress node, boolean rejected, long applied) {
        if (!node.reachable()) {
            return NodeRolloutState.UNREACHABLE;
        }
        if (rejected) {
            return NodeRolloutState.REJECTED;
        }
        return applied == spec.generation() ? NodeRolloutState.APPLIED : NodeRolloutState.PENDING;
    }

    /** The rejection, unless a newer record has been published since. */
    private static @org.jspecify.annotations.Nullable Rejection current(
            List<Published> published, @org.jspecify.annotations.Nullable Rejection rejection) {
        if (rejection == null || published.isEmpty()) {
            return rejection;
        }
        Published newest = published.getFirst();
        boolean newer = newest.epoch() > rejection.epoch()
                || newest.epoch() == rejection.epoch() && newest.sequence() > rejection.sequence();
        return newer ? null : rejection;
    }

    private static long applied(List<Published> published, NodeProgress node) {
        return published.stream()
                .filter(record ->
                        record.offset() < node.position() && record.popIds().contains(node.popId()))
                .mapToLong(Published::generation)
                .findFirst()
                .orElse(0);
    }
}
