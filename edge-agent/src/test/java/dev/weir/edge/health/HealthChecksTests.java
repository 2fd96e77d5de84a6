// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.health;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.edge.ManualClock;
import dev.weir.edge.Records;
import dev.weir.edge.store.state.StoredVerdict;
import dev.weir.messages.v1.LoadBalancerConfig;
import dev.weir.messages.v1.ProbeOutcome;
import dev.weir.messages.v1.ProbeRequest;
import dev.weir.messages.v1.ProbeResult;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class HealthChecksTests {
    private static final LoadBalancerConfig WEB = Records.loadBalancer("lb_1", "203.0.113.10", 1);
    private static final MemberKey FIRST = new MemberKey("lb_1", "pool_lb_1", "mbr_1");

    private final ManualClock clock = new ManualClock();
    private final HealthChecks checks = new HealthChecks(clock, new Random(1));

    @BeforeEach
    void monitorBothMembers() {
        checks.setTargets(ProbeTarget.of(WEB));
    }

    private void round(ProbeOutcome first, ProbeOutcome second) {
        round(checks, first, second);
    }

    private void round(HealthChecks of, ProbeOutcome first, ProbeOutcome second) {
        clock.advance(Duration.ofMillis(1_200));
        for (ProbeRequest request : of.due()) {
            boolean isFirst = request.getMemberAddress().equals(Records.ip("10.1.20.11"));
            of.onResult(ProbeResult.newBuilder()
                    .setProbeId(request.getProbeId())
                    .setOutcome(isFirst ? first : second)
                    .setRttUs(150)
                    .build());
        }
    }

    private static final ProbeOutcome UP = ProbeOutcome.PROBE_OUTCOME_CONNECTED;
    private static final ProbeOutcome DOWN = ProbeOutcome.PROBE_OUTCOME_REFUSED;

    @Test
    void probesGoToThePortThatFlowsGoTo() {
        clock.advance(Duration.ofSeconds(1));

        assertThat(checks.due()).hasSize(2).allSatisfy(probe -> {
            assertThat(probe.getMemberPort()).isEqualTo(8080);
            assertThat(probe.getTimeoutMs()).isEqualTo(500);
        });
        assertThat(checks.due()).as("one probe in flight per member").isEmpty();
    }

    @Test
    void unknownMemberCountsAsHealthy() {
        assertThat(checks.unhealthy("lb_1")).isEmpty();
        assertThat(checks.status(FIRST).orElseThrow().unknown()).isTrue();
    }

    @Test
    void verdictChangesOnlyAfterFallAndRiseInARow() {
        round(UP, DOWN);
        round(UP, DOWN);
        assertThat(checks.unhealthy("lb_1")).isEmpty();

        round(UP, DOWN);
        assertThat(checks.unhealthy("lb_1")).containsExactly("mbr_2");

        round(UP, UP);
        round(UP, DOWN);
        round(UP, UP);
        assertThat(checks.unhealthy("lb_1")).as("never two in a row").containsExactly("mbr_2");

        round(UP, UP);
        assertThat(checks.unhealthy("lb_1")).isEmpty();
    }

    @Test
    void singleFailureOfAHealthyMemberDoesNotShow() {
        round(UP, UP);
        round(UP, UP);

        round(DOWN, UP);

        assertThat(checks.status(FIRST).orElseThrow().reason()).isEqualTo("connected");
    }

    @Test
    void busyEngineSaysNothingAboutAMember() {
        for (int i = 0; i < 5; i++) {
            round(ProbeOutcome.PROBE_OUTCOME_BUSY, DOWN);
        }

        assertThat(checks.unhealthy("lb_1")).containsExactly("mbr_2");
    }

    @Test
    void lostProbeIsNotAFailure() {
        clock.advance(Duration.ofSeconds(1));
        assertThat(checks.due()).hasSize(2);

        clock.advance(Duration.ofSeconds(3));

        assertThat(checks.due()).hasSize(2);
        assertThat(checks.unhealthy("lb_1")).isEmpty();
    }

    @Test
    void resultOfAnUnknownProbeIsIgnored() {
        assertThat(checks.onResult(
                        ProbeResult.newBuilder().setProbeId(1).setOutcome(DOWN).build()))
                .isFalse();
    }

    @Test
    void restartOfTheAgentChangesNoVerdict() {
        for (int i = 0; i < 3; i++) {
            round(UP, DOWN);
        }
        List<StoredVerdict> stored = checks.verdicts();

        HealthChecks after = new HealthChecks(clock, new Random(2));
        after.restore(stored);
        after.setTargets(ProbeTarget.of(WEB));

        assertThat(after.unhealthy("lb_1")).containsExactly("mbr_2");
        assertThat(after.status(FIRST)).isEqualTo(checks.status(FIRST));
        round(after, UP, UP);
        assertThat(after.unhealthy("lb_1")).containsExactly("mbr_2");
    }

    @Test
    void memberWithAnotherAddressStartsAnew() {
        for (int i = 0; i < 3; i++) {
            round(UP, DOWN);
        }
        LoadBalancerConfig.Builder moved = WEB.toBuilder();
        moved.getPoolsBuilder(0).getMembersBuilder(1).setAddress(Records.ip("10.1.20.99"));

        checks.setTargets(ProbeTarget.of(moved.build()));

        assertThat(checks.unhealthy("lb_1")).isEmpty();
    }

    @Test
    void verdictLostByTheAgentIsTakenFromTheEngine() {
        checks.adoptUnhealthy("lb_1", Set.of("mbr_1"));

        assertThat(checks.unhealthy("lb_1")).containsExactly("mbr_1");
    }

    @Test
    void probesKeepTheirPaceOverTime() {
        int probes = 0;
        for (int ms = 0; ms < 60_000; ms += 50) {
            clock.advance(Duration.ofMillis(50));
            for (ProbeRequest request : checks.due()) {
                probes++;
                checks.onResult(ProbeResult.newBuilder()
                        .setProbeId(request.getProbeId())
                        .setOutcome(UP)
                        .build());
            }
        }

        assertThat(probes).isBetween(110, 130);
    }
}
