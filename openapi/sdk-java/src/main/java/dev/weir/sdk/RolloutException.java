// SPDX-License-Identifier: Apache-2.0
package dev.weir.sdk;

import dev.weir.sdk.v1.model.NodeRollout;
import dev.weir.sdk.v1.model.NodeRolloutState;
import dev.weir.sdk.v1.model.Rollout;
import dev.weir.sdk.v1.model.StagedRollout;
import java.util.stream.Collectors;

/** The edge does not run what was asked for. */
public final class RolloutException extends Exception {
    private static final long serialVersionUID = 1L;

    /** Why waiting ended. */
    public enum Reason {
        /** A node refused the configuration and keeps what it had; waiting longer would not help. */
        REJECTED,
        /** The staged rollout was taken back; no PoP runs the generation until another change is made. */
        REVERTED,
        /** The time to wait is over. */
        TIMED_OUT
    }

    private final Reason reason;
    private final transient Rollout rollout;

    RolloutException(Reason reason, long generation, Rollout rollout) {
        super(message(reason, generation, rollout));
        this.reason = reason;
        this.rollout = rollout;
    }

    private static String message(Reason reason, long generation, Rollout rollout) {
        String what = switch (reason) {
            case REJECTED -> "Nodes refused generation %d and keep what they had".formatted(generation);
            case REVERTED -> "The rollout of generation %d was reverted%s".formatted(generation, because(rollout));
            case TIMED_OUT ->
                "The edge did not run generation %d in time%s"
                        .formatted(generation, rollout.getPublishingDelayed() ? "; publishing is delayed" : "");
        };
        String nodes = rollout.getNodes().stream()
                .filter(node -> node.getState() != NodeRolloutState.APPLIED)
                .map(RolloutException::line)
                .collect(Collectors.joining());
        return "%s. All reachable nodes run generation %d.%s".formatted(what, rollout.getObservedGeneration(), nodes);
    }

    private static String because(Rollout rollout) {
        StagedRollout staged = rollout.getStaged();
        return staged == null || staged.getReason().isEmpty() ? "" : " (" + staged.getReason() + ")";
    }

    private static String line(NodeRollout node) {
        String why = node.getReason() == null ? "" : ": " + node.getReason();
        return "%n  %s (%s): %s, runs generation %d%s"
                .formatted(node.getNodeName(), node.getPopName(), node.getState(), node.getAppliedGeneration(), why);
    }

    public Reason reason() {
        return reason;
    }

    /** The rollout as it was read last. */
    public Rollout rollout() {
        return rollout;
    }
}
