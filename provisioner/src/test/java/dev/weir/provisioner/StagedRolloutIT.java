// SPDX-License-Identifier: Apache-2.0
package dev.weir.provisioner;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.weir.compiler.ResourceId;
import dev.weir.messages.v1.LoadBalancerRecord;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Two PoPs of one node each; the first by name is the canary. */
class StagedRolloutIT {
    private static final Duration SOON = Duration.ofSeconds(30);

    private static World world;
    private static ProvisionerProcess provisioner;
    private static UUID canary;
    private static UUID other;
    private static FakeNode canaryNode;
    private static FakeNode otherNode;

    @BeforeAll
    static void startEverything() throws IOException {
        world = new World();
        provisioner = ProvisionerProcess.start(world, "staged", Map.of("WEIR_ROLLOUT_BAKE", "2s"));
        canary = world.pop(Map.of());
        other = world.pop(Map.of());
        canaryNode = new FakeNode(world, world.node(canary), canary);
        otherNode = new FakeNode(world, world.node(other), other);
        await().atMost(Duration.ofMinutes(3)).until(provisioner::ready);
        await().atMost(Duration.ofMinutes(2))
                .until(() -> world.jdbc
                                .sql("select count(*) from node_watermarks where node_id in (?, ?)")
                                .params(canaryNode.id, otherNode.id)
                                .query(Long.class)
                                .single()
                        == 32);
    }

    @AfterAll
    static void endEverything() throws InterruptedException {
        canaryNode.close();
        otherNode.close();
        provisioner.close();
        world.remove(canaryNode.id);
        world.remove(otherNode.id);
    }

    private static UUID staged() {
        UUID loadBalancer = world.loadBalancer(World.named(canary, other), 2);
        await().atMost(SOON).until(() -> world.observedGeneration(loadBalancer) == 1);
        world.jdbc
                .sql("update load_balancers set rollout = 'staged' where id = ?")
                .param(loadBalancer)
                .update();
        return loadBalancer;
    }

    private static LoadBalancerRecord newest(UUID loadBalancer) {
        return Objects.requireNonNull(otherNode.state.get(ResourceId.LOAD_BALANCER.format(loadBalancer)))
                .record()
                .getLoadBalancer();
    }

    private static String state(UUID loadBalancer) {
        return world.jdbc
                .sql("select state from staged_rollouts where load_balancer_id = ?")
                .param(loadBalancer)
                .query(String.class)
                .optional()
                .orElse("none");
    }

    /** As a node's report of its members would. */
    private static void report(UUID loadBalancer, FakeNode node, UUID pop, long generation, String status) {
        world.jdbc
                .sql("""
                        insert into member_status (project_id, load_balancer_id, pool_id, member_id, pop_id, node_id,
                            operating_status, reason, rtt_us, active_flows, generation, reported_at)
                        values (?, ?, ?, ?, ?, ?, ?, '', 0, 0, ?, now())
                        """)
                .params(
                        world.project,
                        loadBalancer,
                        UUID.randomUUID(),
                        UUID.randomUUID(),
                        pop,
                        node.id,
                        status,
                        generation)
                .update();
    }

    @Test
    void changeReachesTheCanaryFirstAndAllOnceItHasProvenItself() {
        UUID loadBalancer = staged();

        world.change(loadBalancer, World.named(canary, other), 3);
        await().atMost(SOON).until(() -> newest(loadBalancer).hasCandidate());

        LoadBalancerRecord record = newest(loadBalancer);
        assertThat(record.getCandidatePopIdsList()).containsExactly(ResourceId.POP.format(canary));
        assertThat(record.getStable().getGeneration()).isEqualTo(1);
        assertThat(record.getStable().getPools(0).getMembersCount()).isEqualTo(2);
        assertThat(record.getCandidate().getGeneration()).isEqualTo(2);
        assertThat(record.getCandidate().getPools(0).getMembersCount()).isEqualTo(3);
        report(loadBalancer, canaryNode, canary, 2, "healthy");
        await().atMost(SOON).until(() -> newest(loadBalancer).getCandidatePopIdsCount() == 2);
        report(loadBalancer, otherNode, other, 2, "healthy");
        await().atMost(SOON).until(() -> world.observedGeneration(loadBalancer) == 2);
        await().atMost(SOON).until(() -> state(loadBalancer).equals("promoted"));
        await().atMost(SOON).until(() -> !newest(loadBalancer).hasCandidate());
        assertThat(newest(loadBalancer).getStable().getGeneration()).isEqualTo(2);
    }

    @Test
    void badChangeIsTakenBackAndTheNextOneFallsBackToWhatWasGood() {
        UUID loadBalancer = staged();
        world.change(loadBalancer, World.named(canary, other), 3);
        await().atMost(SOON).until(() -> newest(loadBalancer).hasCandidate());

        report(loadBalancer, canaryNode, canary, 2, "unhealthy");
        await().atMost(SOON).until(() -> state(loadBalancer).equals("reverted"));
        await().atMost(SOON).until(() -> !newest(loadBalancer).hasCandidate());

        assertThat(newest(loadBalancer).getStable().getGeneration()).isEqualTo(1);
        assertThat(world.observedGeneration(loadBalancer)).isEqualTo(1);
        assertThat(world.generation(loadBalancer)).as("the spec is left alone").isEqualTo(2);
        assertThat(otherNode.seenOf(loadBalancer))
                .as("only the canary was to run it")
                .allSatisfy(seen -> assertThat(seen.record().getLoadBalancer().getCandidatePopIdsList())
                        .doesNotContain(ResourceId.POP.format(other)));

        world.change(loadBalancer, World.named(canary, other), 4);
        await().atMost(SOON).until(() -> newest(loadBalancer).hasCandidate());
        assertThat(newest(loadBalancer).getStable().getGeneration()).isEqualTo(1);
        assertThat(newest(loadBalancer).getCandidate().getGeneration()).isEqualTo(3);
    }

    @Test
    void stoppedRolloutStaysWhereItIsUntilAPersonSaysSo() throws InterruptedException {
        UUID loadBalancer = staged();
        world.change(loadBalancer, World.named(canary, other), 3);
        await().atMost(SOON).until(() -> newest(loadBalancer).hasCandidate());

        world.settle(loadBalancer, "stopped");
        Thread.sleep(Duration.ofSeconds(5));
        assertThat(newest(loadBalancer).getCandidatePopIdsList()).containsExactly(ResourceId.POP.format(canary));

        world.settle(loadBalancer, "promoted");
        await().atMost(SOON).until(() -> world.observedGeneration(loadBalancer) == 2);
        assertThat(newest(loadBalancer).hasCandidate()).isFalse();
    }

    @Test
    void refusalByTheCanaryTakesTheChangeBack() {
        UUID loadBalancer = staged();
        canaryNode.refuse(loadBalancer);

        world.change(loadBalancer, World.named(canary, other), 3);

        await().atMost(SOON).until(() -> state(loadBalancer).equals("reverted"));
        assertThat(world.jdbc
                        .sql("select reason from staged_rollouts where load_balancer_id = ?")
                        .param(loadBalancer)
                        .query(String.class)
                        .single())
                .isEqualTo("A node refused it: lacks snat");
    }
}
