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

    /** Reason of a member that is held down because it was removed too often. */
    static final String FLAPPING = "flapping";

    private ProbeTarget target;
    private Verdict verdict;
    private String reason = "";
    private long sinceUs;
    private long lastProbeUs;
    private int rttUs;

    private final FlapDamping damping;
    private String lastOutcome = "";
    private boolean runGood;
    private int runLength;
    long dueAtMs;
    // 0: none in flight.
    long probeId;
    long probeLostAtMs;

    MemberCheck(ProbeTarget target, Verdict verdict, long sinceUs, FlapDamping damping) {
        this.target = target;
        this.damping = damping;
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

    void record(ProbeOutcome outcome, int newRttUs, long nowUs) {
        boolean good = outcome == ProbeOutcome.PROBE_OUTCOME_CONNECTED;
        runLength = good == runGood ? runLength + 1 : 1;
        runGood = good;
        lastOutcome = outcome.name().substring("PROBE_OUTCOME_".length()).toLowerCase(Locale.ROOT);
        lastProbeUs = nowUs;
        rttUs = good ? newRttUs : 0;
    }

    /** The verdict that the outcomes so far ask for. */
    Verdict wanted() {
        if (runGood && runLength >= Math.max(1, target.monitor().getRise())) {
            return Verdict.HEALTHY;
        }
        if (!runGood && runLength >= Math.max(1, target.monitor().getFall())) {
            return Verdict.UNHEALTHY;
        }
        return verdict;
    }

    FlapDamping damping() {
        return damping;
    }

    /**
     * @param held why the verdict is not the wanted one; empty: it is
     * @return whether the verdict or its reason changed
     */
    boolean settle(Verdict settled, String held, long nowUs) {
        Verdict before = verdict;
        String reasonBefore = reason;
        if (before != settled) {
            if (before == Verdict.HEALTHY) {
                damping.removed(nowUs, nowUs - sinceUs);
            }
            verdict = settled;
            sinceUs = nowUs;
        }
        // The reason belongs to the verdict: a single failed probe of a healthy member does not show.
        boolean agrees = runGood == (verdict == Verdict.HEALTHY) && verdict != Verdict.UNKNOWN;
        if (!held.isEmpty()) {
            reason = held;
        } else if (verdict == Verdict.UNHEALTHY && damping.holds(nowUs)) {
            reason = FLAPPING;
        } else if (agrees || verdict == Verdict.UNKNOWN) {
            reason = agrees ? lastOutcome : "";
        }
        return before != verdict || !reason.equals(reasonBefore);
    }
}
