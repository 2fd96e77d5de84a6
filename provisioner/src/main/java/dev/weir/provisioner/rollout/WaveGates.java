// SPDX-License-Identifier: Apache-2.0
package dev.weir.provisioner.rollout;

import dev.weir.provisioner.rollout.WaveSignals.Flows;
import dev.weir.provisioner.rollout.WaveSignals.Members;
import java.time.Duration;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Judges a wave by the load balancer's own signals. Harm ends it at once; to pass, it takes the bake time without any.
 * With too few samples a gate says nothing, and probes alone decide. Pure.
 */
final class WaveGates {
    /** By so much the share of unhealthy members may rise; one of four is more often bad luck than the change. */
    private static final double UNHEALTHY_RISE = 0.25;

    private static final double RESET_RISE = 0.2;

    /** Of the new flows to be expected, how many must come. */
    private static final double FLOWS_LEFT = 0.5;

    private static final int ENOUGH_FLOWS = 50;

    enum Verdict {
        WAIT,
        PASS,
        STOP,
        REVERT
    }

    /** @param reason in a sentence; empty with WAIT and PASS */
    record Judgement(Verdict verdict, String reason) {
        private static final Judgement WAIT = new Judgement(Verdict.WAIT, "");
        private static final Judgement PASS = new Judgement(Verdict.PASS, "");
    }

    private final Duration bake;
    private final Duration applyWithin;

    WaveGates(Duration bake, Duration applyWithin) {
        this.bake = bake;
        this.applyWithin = applyWithin;
    }

    Judgement judge(WaveSignals seen) {
        String harm = harm(seen);
        if (harm != null) {
            return new Judgement(Verdict.REVERT, harm);
        }
        Duration baked = seen.baked();
        if (baked == null) {
            return seen.reachable() > 0 && seen.sinceWave().compareTo(applyWithin) > 0
                    ? new Judgement(
                            Verdict.STOP,
                            "%d of %d reachable nodes of the wave run it after %d s."
                                    .formatted(seen.applied(), seen.reachable(), applyWithin.toSeconds()))
                    : Judgement.WAIT;
        }
        if (baked.compareTo(bake) < 0) {
            return Judgement.WAIT;
        }
        boolean known = seen.members().unknown() == 0 && seen.reported() >= seen.applied();
        if (!known && baked.compareTo(bake.multipliedBy(2)) < 0) {
            return Judgement.WAIT;
        }
        return fewerFlows(seen)
                ? new Judgement(
                        Verdict.REVERT,
                        text(
                                "New flows fell from %.1f to %.1f per second in the PoPs of the wave.",
                                seen.flowsBefore().startedPerSecond(),
                                seen.flows().startedPerSecond()))
                : Judgement.PASS;
    }

    private static @Nullable String harm(WaveSignals seen) {
        if (seen.refusal() != null) {
            return "A node refused it: " + seen.refusal();
        }
        Members members = seen.members();
        double usual = Math.max(seen.unhealthyBefore(), seen.membersElsewhere().unhealthyShare());
        if (members.unhealthyShare() > usual + UNHEALTHY_RISE) {
            return "%d of %d members are unhealthy in the PoPs of the wave."
                    .formatted(members.unhealthy(), members.healthy() + members.unhealthy());
        }
        Flows flows = seen.flows();
        double usualResets =
                Math.max(seen.flowsBefore().resetShare(), seen.flowsElsewhere().resetShare());
        if (flows.ended() >= ENOUGH_FLOWS && flows.resetShare() > usualResets + RESET_RISE) {
            return text(
                    "%.0f %% of flows end by a reset in the PoPs of the wave, %.0f %% is usual.",
                    100 * flows.resetShare(), 100 * usualResets);
        }
        return null;
    }

    /** Fewer than before, while elsewhere they are not. */
    private static boolean fewerFlows(WaveSignals seen) {
        return fell(seen.flowsBefore(), seen.flows()) && !fell(seen.flowsElsewhereBefore(), seen.flowsElsewhere());
    }

    private static boolean fell(Flows before, Flows now) {
        double expected = before.startedPerSecond() * now.seconds();
        return expected >= ENOUGH_FLOWS && now.started() < FLOWS_LEFT * expected;
    }

    private static String text(String format, Object... values) {
        return String.format(Locale.ROOT, format, values);
    }
}
