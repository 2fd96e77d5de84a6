// SPDX-License-Identifier: Apache-2.0
package dev.weir.provisioner.rollout;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.provisioner.rollout.WaveGates.Judgement;
import dev.weir.provisioner.rollout.WaveGates.Verdict;
import dev.weir.provisioner.rollout.WaveSignals.Flows;
import dev.weir.provisioner.rollout.WaveSignals.Members;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class WaveGatesTests {
    private static final Duration BAKE = Duration.ofSeconds(30);
    private static final Flows NONE = new Flows(0, 0, 0, 0);
    private static final Members GOOD = new Members(4, 0, 0);

    private final WaveGates gates = new WaveGates(BAKE, Duration.ofMinutes(5));

    /** A wave of two nodes; what a test does not say is as it should be. */
    private static final class Wave {
        private Duration sinceWave = Duration.ofSeconds(40);
        private @Nullable Duration baked = Duration.ofSeconds(31);
        private int applied = 2;
        private @Nullable String refusal;
        private int reported = 2;
        private Members members = GOOD;
        private Members elsewhere = GOOD;
        private double unhealthyBefore;
        private Flows flows = NONE;
        private Flows before = NONE;
        private Flows flowsElsewhere = NONE;
        private Flows elsewhereBefore = NONE;

        WaveSignals signals() {
            return new WaveSignals(
                    sinceWave,
                    baked,
                    2,
                    applied,
                    refusal,
                    reported,
                    members,
                    elsewhere,
                    unhealthyBefore,
                    flows,
                    before,
                    flowsElsewhere,
                    elsewhereBefore);
        }
    }

    private final Wave wave = new Wave();

    private Verdict verdict() {
        return gates.judge(wave.signals()).verdict();
    }

    @Test
    void quietWavePassesOnProbesAloneAfterItsBakeTime() {
        assertThat(verdict()).isEqualTo(Verdict.PASS);

        wave.baked = Duration.ofSeconds(29);
        assertThat(verdict()).isEqualTo(Verdict.WAIT);
    }

    @Test
    void waveThatIsNotAppliedIsStoppedInTheEnd() {
        wave.baked = null;
        wave.applied = 1;
        assertThat(verdict()).isEqualTo(Verdict.WAIT);

        wave.sinceWave = Duration.ofMinutes(6);
        assertThat(gates.judge(wave.signals()))
                .isEqualTo(new Judgement(Verdict.STOP, "1 of 2 reachable nodes of the wave run it after 300 s."));
    }

    @Test
    void refusalByANodeReverts() {
        wave.baked = null;
        wave.refusal = "feature not supported: dsr";

        assertThat(gates.judge(wave.signals()))
                .isEqualTo(new Judgement(Verdict.REVERT, "A node refused it: feature not supported: dsr"));
    }

    @Test
    void membersThatFailOnlyInTheWaveRevertBeforeTheBakeTimeIsOver() {
        wave.baked = Duration.ofSeconds(2);
        wave.members = new Members(2, 2, 0);

        assertThat(gates.judge(wave.signals()))
                .isEqualTo(new Judgement(Verdict.REVERT, "2 of 4 members are unhealthy in the PoPs of the wave."));
    }

    @Test
    void membersThatFailElsewhereOrFailedBeforeAreNotTheChangesFault() {
        wave.members = new Members(2, 2, 0);
        wave.elsewhere = new Members(2, 2, 0);
        assertThat(verdict()).isEqualTo(Verdict.PASS);

        wave.elsewhere = GOOD;
        wave.unhealthyBefore = 0.5;
        assertThat(verdict()).isEqualTo(Verdict.PASS);
    }

    @Test
    void verdictsThatAreMissingAreWaitedForButNotForEver() {
        wave.members = new Members(3, 0, 1);
        assertThat(verdict()).isEqualTo(Verdict.WAIT);
        wave.members = GOOD;
        wave.reported = 1;
        assertThat(verdict()).isEqualTo(Verdict.WAIT);

        wave.baked = Duration.ofSeconds(60);
        assertThat(verdict()).isEqualTo(Verdict.PASS);
    }

    @Test
    void resetsThatRiseRevertOnceThereAreEnough() {
        wave.before = new Flows(1_000, 1_000, 100, 300);
        wave.flows = new Flows(100, 40, 40, 30);
        assertThat(verdict()).as("too few to say").isEqualTo(Verdict.PASS);

        wave.flows = new Flows(100, 100, 40, 30);
        assertThat(gates.judge(wave.signals()).reason())
                .isEqualTo("40 % of flows end by a reset in the PoPs of the wave, 10 % is usual.");

        wave.flowsElsewhere = new Flows(100, 100, 35, 30);
        assertThat(verdict()).as("resets rise everywhere").isEqualTo(Verdict.PASS);
    }

    @Test
    void newFlowsThatStayAwayRevertUnlessTheyDoEverywhere() {
        wave.before = new Flows(3_000, 3_000, 0, 300);
        wave.flows = new Flows(100, 100, 0, 30);
        assertThat(gates.judge(wave.signals()).reason())
                .isEqualTo("New flows fell from 10.0 to 3.3 per second in the PoPs of the wave.");

        wave.elsewhereBefore = new Flows(3_000, 3_000, 0, 300);
        wave.flowsElsewhere = new Flows(100, 100, 0, 30);
        assertThat(verdict()).isEqualTo(Verdict.PASS);
    }
}
