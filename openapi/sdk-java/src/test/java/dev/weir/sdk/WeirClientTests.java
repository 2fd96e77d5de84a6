// SPDX-License-Identifier: Apache-2.0
package dev.weir.sdk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.weir.sdk.RolloutException.Reason;
import dev.weir.sdk.ScriptedService.Asked;
import dev.weir.sdk.ScriptedService.Reply;
import dev.weir.sdk.v1.ApiException;
import dev.weir.sdk.v1.LoadBalancersApi;
import dev.weir.sdk.v1.model.Rollout;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class WeirClientTests {
    private static final Duration LONGEST = Duration.ofSeconds(30);

    private final ManualPauses pauses = new ManualPauses();

    private WeirClient client(ScriptedService service) {
        return new WeirClient(service.url(), () -> "t", RetryPolicy.DEFAULT, pauses);
    }

    /** @param state of the only node, which should run the desired generation and runs the observed one */
    private static Reply rollout(long observed, long desired, String state) {
        return Reply.json("""
                {"load_balancer_id": "lb_1", "generation": 9, "observed_generation": %d, "publishing_delayed": true,
                 "totals": {"placed": 1, "applied": 0, "pending": 0, "rejected": 1, "unreachable": 0},
                 "nodes": [{"node_id": "node_1", "node_name": "n1", "pop_id": "pop_1", "pop_name": "p1",
                     "desired_generation": %d, "applied_generation": %d, "state": "%s", "reason": "no dsr here"}]}""".formatted(observed, desired, observed, state));
    }

    @Test
    void waitingEndsWhenTheGenerationOrANewerOneRuns() throws Exception {
        try (ScriptedService service = new ScriptedService(
                        rollout(1, 2, "pending"), rollout(1, 2, "pending"), rollout(3, 3, "applied"));
                WeirClient weir = client(service)) {
            Rollout rollout = weir.waitForGeneration("prj_1", "lb_1", 2, LONGEST);

            assertThat(rollout.getObservedGeneration()).isEqualTo(3);
            assertThat(pauses.made()).containsExactly(Duration.ofMillis(100), Duration.ofMillis(200));
            assertThat(service.asked())
                    .extracting(Asked::path)
                    .containsOnly("/v1/projects/prj_1/load-balancers/lb_1/rollout");
        }
    }

    @Test
    void waitingEndsAtOnceWhenANodeRefuses() throws Exception {
        try (ScriptedService service = new ScriptedService(rollout(1, 2, "rejected"));
                WeirClient weir = client(service)) {
            RolloutException refused = catchThrowableOfType(
                    RolloutException.class, () -> weir.waitForGeneration("prj_1", "lb_1", 2, LONGEST));

            assertThat(refused.reason()).isEqualTo(Reason.REJECTED);
            assertThat(refused).hasMessageContaining("n1 (p1)").hasMessageContaining("no dsr here");
            assertThat(pauses.made()).isEmpty();
        }
    }

    @Test
    void aRefusalOfAnOlderGenerationIsPast() throws Exception {
        try (ScriptedService service = new ScriptedService(rollout(1, 2, "rejected"), rollout(3, 3, "applied"));
                WeirClient weir = client(service)) {
            assertThat(weir.waitForGeneration("prj_1", "lb_1", 3, LONGEST).getObservedGeneration())
                    .isEqualTo(3);
        }
    }

    /** Of generation 2, which was to follow 1. */
    private static Reply staged(String state) {
        return Reply.json("""
                {"load_balancer_id": "lb_1", "generation": 2, "observed_generation": 1, "publishing_delayed": false,
                 "totals": {"placed": 0, "applied": 0, "pending": 0, "rejected": 0, "unreachable": 0}, "nodes": [],
                 "staged": {"state": "%s", "stable_generation": 1, "candidate_generation": 2, "wave": 1,
                     "pop_ids": ["pop_1"], "pops_total": 2, "reason": "3 of 4 members are unhealthy",
                     "started_at": "2026-01-01T00:00:00Z", "wave_started_at": "2026-01-01T00:00:00Z"}}""".formatted(state));
    }

    @Test
    void waitingEndsWhenTheRolloutIsReverted() throws Exception {
        try (ScriptedService service = new ScriptedService(staged("running"), staged("stopped"), staged("reverted"));
                WeirClient weir = client(service)) {
            RolloutException reverted = catchThrowableOfType(
                    RolloutException.class, () -> weir.waitForGeneration("prj_1", "lb_1", 2, LONGEST));

            assertThat(reverted.reason()).isEqualTo(Reason.REVERTED);
            assertThat(reverted)
                    .hasMessageContaining("generation 2 was reverted")
                    .hasMessageContaining("3 of 4 members are unhealthy");
            assertThat(pauses.made()).hasSize(2);
        }
    }

    @Test
    void aRevertedRolloutOfAnOlderGenerationIsPast() throws Exception {
        try (ScriptedService service = new ScriptedService(staged("reverted"), rollout(3, 3, "applied"));
                WeirClient weir = client(service)) {
            assertThat(weir.waitForGeneration("prj_1", "lb_1", 3, LONGEST).getObservedGeneration())
                    .isEqualTo(3);
        }
    }

    @Test
    void waitingEndsWhenTheTimeIsOver() throws Exception {
        try (ScriptedService service = new ScriptedService(rollout(1, 2, "pending"));
                WeirClient weir = client(service)) {
            RolloutException late = catchThrowableOfType(
                    RolloutException.class, () -> weir.waitForGeneration("prj_1", "lb_1", 2, LONGEST));

            assertThat(late.reason()).isEqualTo(Reason.TIMED_OUT);
            assertThat(late).hasMessageContaining("publishing is delayed");
            assertThat(pauses.nanoTime()).isEqualTo(LONGEST.toNanos());
        }
    }

    @Test
    void aFailureTellsTheServicesProblem() throws Exception {
        try (ScriptedService service = new ScriptedService(
                        new Reply(404, java.util.Map.of(), "{\"code\": \"NOT_FOUND\", \"status\": 404}"),
                        new Reply(404, java.util.Map.of(), "<html>"));
                WeirClient weir = client(service)) {
            LoadBalancersApi calls = new LoadBalancersApi(weir.calls());

            ApiException failure =
                    catchThrowableOfType(ApiException.class, () -> calls.getLoadBalancer("prj_1", "lb_1"));
            assertThat(weir.problem(failure).orElseThrow().getCode()).isEqualTo("NOT_FOUND");

            ApiException other = catchThrowableOfType(ApiException.class, () -> calls.getLoadBalancer("prj_1", "lb_1"));
            assertThat(weir.problem(other)).isEmpty();
        }
    }

    @Test
    void policiesThatCannotBeKeptAreRefused() {
        assertThatThrownBy(() -> new RetryPolicy(0, Duration.ofSeconds(1), Duration.ofSeconds(1)))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new RetryPolicy(2, Duration.ofSeconds(2), Duration.ofSeconds(1)))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
