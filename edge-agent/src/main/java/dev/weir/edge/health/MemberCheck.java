// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.health;

import dev.weir.messages.v1.ProbeOutcome;
import java.util.Locale;

/** How one member did so far: its verdict, and the run of equal outcomes that may change it. */
final class MemberCheck {
    /** A member without a verdict counts as healthy, so that a new or restarted agent empties no pool. */
    enum Verdict {
        UNKNOWN,
        HEALTHY,
        UNHEALTHY
    }

    private ProbeTarget target;
    private Verdict verdict;
    private String reason = "";
    private long sinceUs;
    private long lastProbeUs;
    private int rttUs;

    private boolean runGood;
    private int runLength;
    long dueAtMs;
    // 0: none in flight.
    long probeId;
    long probeLostAtMs;

    MemberCheck(ProbeTarget target, Verdict verdict, long sinceUs) {
        this.target = target;
        this.verdict = verdict;
        this.sinceUs = sinceUs;
    }

    ProbeTarget target() {
        return target;
    }

    void target(ProbeTarget changed) {
        target = changed;
    }

    Verdict verdict() {
        return verdict;
    }

    MemberStatus status() {
        return new MemberStatus(
                verdict == Verdict.UNKNOWN, verdict != Verdict.UNHEALTHY, reason, lastProbeUs, rttUs, sinceUs);
    }

    void restore(MemberStatus stored) {
        verdict = stored.healthy() ? Verdict.HEALTHY : Verdict.UNHEALTHY;
        reason = stored.reason();
        lastProbeUs = stored.lastProbeUs();
        rttUs = stored.rttUs();
        sinceUs = stored.sinceUs();
    }

    /** Returns whether the verdict or its reason changed. */
    boolean record(ProbeOutcome outcome, int newRttUs, long nowUs) {
        boolean good = outcome == ProbeOutcome.PROBE_OUTCOME_CONNECTED;
        runLength = good == runGood ? runLength + 1 : 1;
        runGood = good;
        lastProbeUs = nowUs;
        rttUs = good ? newRttUs : 0;
        Verdict before = verdict;
        String reasonBefore = reason;
        if (good
                && verdict != Verdict.HEALTHY
                && runLength >= Math.max(1, target.monitor().getRise())) {
            verdict = Verdict.HEALTHY;
        } else if (!good
                && verdict != Verdict.UNHEALTHY
                && runLength >= Math.max(1, target.monitor().getFall())) {
            verdict = Verdict.UNHEALTHY;
        }
        // The reason belongs to the verdict: a single failed probe of a healthy member does not show.
        boolean agrees = good == (verdict == Verdict.HEALTHY) && verdict != Verdict.UNKNOWN;
        if (agrees) {
            reason = outcome.name().substring("PROBE_OUTCOME_".length()).toLowerCase(Locale.ROOT);
        }
        if (before != verdict) {
            sinceUs = nowUs;
        }
        return before != verdict || !reason.equals(reasonBefore);
    }
}
