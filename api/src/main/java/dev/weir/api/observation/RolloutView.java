// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.observation;

import dev.weir.api.loadbalancer.LoadBalancers.Spec;
import dev.weir.api.web.Times;
import dev.weir.compiler.ResourceId;
import dev.weir.db.rollout.RolloutRows.NodeProgress;
import dev.weir.db.rollout.RolloutRows.Progress;
import dev.weir.db.rollout.RolloutRows.Published;
import dev.weir.db.rollout.RolloutRows.Rejection;
import dev.weir.db.rollout.RolloutRows.Staged;
import dev.weir.rest.v1.model.NodeRollout;
import dev.weir.rest.v1.model.NodeRolloutState;
import dev.weir.rest.v1.model.Rollout;
import dev.weir.rest.v1.model.RolloutTotals;
import dev.weir.rest.v1.model.StagedRollout;
import dev.weir.rest.v1.model.StagedRolloutState;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/** Tells from positions, records and rejections how far each node has come. Pure. */
final class RolloutView {
    /** A change is normally published within a fraction of this. */
    private static final Duration PUBLISHING_TAKES = Duration.ofSeconds(2);

    private static final double NANOS_PER_MS = 1e6;

    private RolloutView() {}

    /** @param published newest first */
    static Rollout of(
            Spec spec,
            Progress progress,
            List<Published> published,
            Optional<Staged> staged,
            List<NodeProgress> nodes,
            Instant now) {
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
                .totals(totals(rollouts, spec.generation()))
                .nodes(rollouts);
        staged.ifPresent(one -> rollout.staged(staged(one)));
        published.stream()
                .filter(record -> record.generation() == spec.generation())
                .map(Published::publishedAt)
                .filter(Objects::nonNull)
                .findFirst()
                .ifPresent(at -> rollout.publishedAt(Times.of(at)));
        return rollout;
    }

    static StagedRollout staged(Staged staged) {
        StagedRollout rest = new StagedRollout()
                .state(StagedRolloutState.fromValue(staged.state()))
                .reason(staged.reason())
                .stableGeneration(staged.stableGeneration())
                .candidateGeneration(staged.candidateGeneration())
                .wave(staged.wave())
                .popIds(staged.popIds().stream().map(ResourceId.POP::format).toList())
                .popsTotal(staged.popsTotal())
                .startedAt(Times.of(staged.startedAt()))
                .waveStartedAt(Times.of(staged.waveStartedAt()));
        Instant endedAt = staged.endedAt();
        return endedAt == null ? rest : rest.endedAt(Times.of(endedAt));
    }

    private static RolloutTotals totals(List<NodeRollout> nodes, long generation) {
        int applied = (int) nodes.stream()
                .filter(node -> node.getState() == NodeRolloutState.APPLIED)
                .filter(node -> node.getAppliedGeneration() == generation)
                .count();
        return new RolloutTotals()
                .placed(nodes.size())
                .applied(applied)
                .pending(count(nodes, NodeRolloutState.PENDING) + count(nodes, NodeRolloutState.APPLIED) - applied)
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
        long desired = desired(spec, published, node);
        NodeRollout rollout = new NodeRollout()
                .nodeId(ResourceId.NODE.format(node.nodeId()))
                .nodeName(node.nodeName())
                .popId(ResourceId.POP.format(node.popId()))
                .popName(node.popName())
                .desiredGeneration(desired)
                .appliedGeneration(applied)
                .state(state(node, rejection != null || refused, applied == desired));
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

    private static NodeRolloutState state(NodeProgress node, boolean rejected, boolean runsIt) {
        if (!node.reachable()) {
            return NodeRolloutState.UNREACHABLE;
        }
        if (rejected) {
            return NodeRolloutState.REJECTED;
        }
        return runsIt ? NodeRolloutState.APPLIED : NodeRolloutState.PENDING;
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

    /** Of a staged rollout, what the newest record means for the node's PoP. */
    private static long desired(Spec spec, List<Published> published, NodeProgress node) {
        return published.stream()
                .findFirst()
                .filter(newest -> newest.generation() == spec.generation())
                .map(newest -> newest.generationAt(node.popId()))
                .orElse(spec.generation());
    }

    private static long applied(List<Published> published, NodeProgress node) {
        return published.stream()
                .filter(record ->
                        record.offset() < node.position() && record.popIds().contains(node.popId()))
                .mapToLong(record -> record.generationAt(node.popId()))
                .findFirst()
                .orElse(0);
    }
}
