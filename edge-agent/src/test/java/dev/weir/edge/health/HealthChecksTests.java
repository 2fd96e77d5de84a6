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
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class HealthChecksTests {
    private static final LoadBalancerConfig WEB = Records.loadBalancer("lb_1", "203.0.113.10", 1);
    private static final MemberKey FIRST = new MemberKey("lb_1", "pool_lb_1", "mbr_1");

    private final ManualClock clock = new ManualClock();
    private final HealthChecks checks = new HealthChecks(clock, new Random(1), HealthLimits.defaults());

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

        HealthChecks after = new HealthChecks(clock, new Random(2), HealthLimits.defaults());
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

    /** The load balancer with as many members more as it takes to have {@code members}. */
    private static LoadBalancerConfig wide(int members) {
        LoadBalancerConfig.Builder wide = WEB.toBuilder();
        for (int i = 3; i <= members; i++) {
            wide.getPoolsBuilder(0).addMembers(Records.member("mbr_" + i, "10.1.20." + (10 + i)));
        }
        return wide.build();
    }

    /** Ten rounds a second, in which each probe that is due fails. */
    private void failEverythingFor(Duration time) {
        for (long ms = 0; ms < time.toMillis(); ms += 100) {
            clock.advance(Duration.ofMillis(100));
            for (ProbeRequest request : checks.due()) {
                checks.onResult(ProbeResult.newBuilder()
                        .setProbeId(request.getProbeId())
                        .setOutcome(DOWN)
                        .build());
            }
            checks.releaseHeld();
        }
    }

    @Test
    void massFailureTakesOutHalfTheMembersPerWindow() {
        checks.setTargets(ProbeTarget.of(wide(10)));

        failEverythingFor(Duration.ofSeconds(6));

        assertThat(checks.unhealthy("lb_1")).hasSize(5);
        assertThat(checks.heldCount()).isEqualTo(5);
        assertThat(checks.removalsHeldTotal()).isEqualTo(5);
        MemberKey oneHeld = ProbeTarget.of(wide(10)).stream()
                .map(ProbeTarget::key)
                .filter(key -> !checks.unhealthy("lb_1").contains(key.memberId()))
                .findFirst()
                .orElseThrow();
        assertThat(checks.status(oneHeld).orElseThrow().reason()).isEqualTo("removal_held");

        failEverythingFor(Duration.ofSeconds(8));
        assertThat(checks.unhealthy("lb_1"))
                .as("what is really dead leaves in the end")
                .hasSize(10);
        assertThat(checks.heldCount()).isZero();
    }

    @Test
    void memberThatAnswersAgainIsNotRemovedLater() {
        for (int i = 0; i < 3; i++) {
            round(DOWN, DOWN);
        }
        assertThat(checks.unhealthy("lb_1")).as("one of two within the window").hasSize(1);
        assertThat(checks.heldCount()).isEqualTo(1);

        round(UP, UP);
        clock.advance(Duration.ofSeconds(10));

        assertThat(checks.releaseHeld()).isFalse();
        assertThat(checks.unhealthy("lb_1")).hasSize(1);
    }

    @Test
    void removalThatWaitsHappensAsSoonAsTheWindowAllows() {
        for (int i = 0; i < 3; i++) {
            round(DOWN, DOWN);
        }
        assertThat(checks.releaseHeld()).isFalse();

        clock.advance(Duration.ofMillis(9_999));
        assertThat(checks.releaseHeld()).isFalse();
        clock.advance(Duration.ofMillis(1));
        assertThat(checks.delayMs(60_000)).isZero();

        assertThat(checks.releaseHeld()).isTrue();
        assertThat(checks.unhealthy("lb_1")).containsExactly("mbr_1", "mbr_2");
    }

    @Test
    void loadBalancersDoNotShareTheirLimit() {
        LoadBalancerConfig other = Records.loadBalancer("lb_2", "203.0.113.11", 1);
        checks.setTargets(
                Stream.of(WEB, other).flatMap(lb -> ProbeTarget.of(lb).stream()).toList());

        for (int i = 0; i < 3; i++) {
            round(DOWN, UP);
        }

        assertThat(checks.unhealthy("lb_1")).containsExactly("mbr_1");
        assertThat(checks.unhealthy("lb_2")).containsExactly("mbr_1");
    }

    /** Fails the first member until it leaves, then lets it answer until it returns; says how long that took. */
    private Duration flap() {
        for (int i = 0; i < 3; i++) {
            round(DOWN, UP);
        }
        assertThat(checks.unhealthy("lb_1")).containsExactly("mbr_1");
        long leftAt = clock.monotonicMillis();
        while (!checks.unhealthy("lb_1").isEmpty()) {
            round(UP, UP);
        }
        return Duration.ofMillis(clock.monotonicMillis() - leftAt);
    }

    @Test
    void flappingMemberIsHeldDownLongerEachTime() {
        round(UP, UP);
        round(UP, UP);
        assertThat(flap()).isLessThan(Duration.ofSeconds(3));
        clock.advance(Duration.ofSeconds(10));
        assertThat(flap()).isLessThan(Duration.ofSeconds(3));
        clock.advance(Duration.ofSeconds(10));

        assertThat(flap()).isBetween(Duration.ofSeconds(10), Duration.ofSeconds(13));
        assertThat(flap()).isBetween(Duration.ofSeconds(20), Duration.ofSeconds(23));
        assertThat(flap()).isBetween(Duration.ofSeconds(40), Duration.ofSeconds(43));
        for (int i = 0; i < 5; i++) {
            assertThat(flap()).isLessThan(Duration.ofSeconds(303));
        }
        clock.advance(Duration.ofMinutes(10));
        assertThat(flap()).as("calm for long enough").isLessThan(Duration.ofSeconds(3));
    }

    @Test
    void flappingShowsAndOutlivesTheAgent() {
        round(UP, UP);
        round(UP, UP);
        flap();
        clock.advance(Duration.ofSeconds(10));
        flap();
        clock.advance(Duration.ofSeconds(10));
        for (int i = 0; i < 3; i++) {
            round(DOWN, UP);
        }
        round(UP, UP);
        round(UP, UP);
        assertThat(checks.status(FIRST).orElseThrow().reason()).isEqualTo("flapping");
        assertThat(checks.flappingCount()).isEqualTo(1);

        HealthChecks after = new HealthChecks(clock, new Random(2), HealthLimits.defaults());
        after.restore(checks.verdicts());
        after.setTargets(ProbeTarget.of(WEB));
        round(after, UP, UP);
        round(after, UP, UP);

        assertThat(after.unhealthy("lb_1")).containsExactly("mbr_1");
        assertThat(after.status(FIRST).orElseThrow().reason()).isEqualTo("flapping");
    }
}
