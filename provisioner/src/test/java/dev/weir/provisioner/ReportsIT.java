// SPDX-License-Identifier: Apache-2.0
package dev.weir.provisioner;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.weir.compiler.ResourceId;
import dev.weir.messages.v1.DropDelta;
import dev.weir.messages.v1.FlowCounterDelta;
import dev.weir.messages.v1.HealthReport;
import dev.weir.messages.v1.MemberHealthReport;
import dev.weir.messages.v1.MetricsReport;
import dev.weir.messages.v1.OperatingStatus;
import dev.weir.provisioner.kafka.Topic;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Health and counters on their way from nodes into rows. */
class ReportsIT {
    private static final Duration SOON = Duration.ofSeconds(30);
    private static final UUID LISTENER = UUID.randomUUID();
    private static final UUID POOL = UUID.randomUUID();
    private static final UUID MEMBER = UUID.randomUUID();

    private static World world;
    private static ProvisionerProcess provisioner;
    private static UUID pop;
    private static FakeNode node1;
    private static FakeNode node2;

    @BeforeAll
    static void startEverything() throws IOException {
        world = new World();
        pop = world.pop(Map.of());
        provisioner = ProvisionerProcess.start(world, "reports");
        node1 = new FakeNode(world, world.node(pop), pop);
        node2 = new FakeNode(world, world.node(pop), pop);
        await().atMost(Duration.ofMinutes(3))
                .until(() -> world.jdbc
                                .sql("select count(*) from node_reports where node_id in (?, ?)")
                                .params(node1.id, node2.id)
                                .query(Long.class)
                                .single()
                        == 2);
    }

    @AfterAll
    static void endEverything() throws InterruptedException {
        node1.close();
        node2.close();
        provisioner.close();
        world.remove(node1.id);
        world.remove(node2.id);
    }

    @Test
    void countersOfAPoPsNodesAddUpOnce() throws Exception {
        UUID loadBalancer = world.loadBalancer(World.named(pop), 1);
        Instant bucket = Instant.now().truncatedTo(ChronoUnit.SECONDS).minusSeconds(20);
        bucket = Instant.ofEpochSecond(bucket.getEpochSecond() / 10 * 10);

        send(node1, report(node1, loadBalancer, 1, bucket.plusSeconds(2)));
        send(node1, report(node1, loadBalancer, 2, bucket.plusSeconds(4)));
        send(node1, report(node1, loadBalancer, 2, bucket.plusSeconds(4)));
        send(node1, report(node1, loadBalancer, 1, bucket.plusSeconds(2)));
        send(node2, report(node2, loadBalancer, 1, bucket.plusSeconds(10)));
        send(node2, report(node2, loadBalancer, 2, bucket.plusSeconds(12)));

        await().atMost(SOON)
                .untilAsserted(
                        () -> assertThat(rows(loadBalancer)).containsExactly("30 3000 3 60.0", "10 1000 1 20.0"));
        assertThat(world.jdbc
                        .sql(
                                "select packets from drops_10s where load_balancer_id = ? and reason = 'no_flow' order by bucket")
                        .param(loadBalancer)
                        .query(Long.class)
                        .list())
                .containsExactly(9L, 3L);
        assertThat(world.jdbc
                        .sql("select sum(packets) from node_drops_10s where node_id = ? and reason = 'not_for_us'")
                        .param(node1.id)
                        .query(Long.class)
                        .single())
                .isEqualTo(10L);
    }

    @Test
    void countersInAForeignNameAreDropped() throws Exception {
        UUID loadBalancer = world.loadBalancer(World.named(pop), 1);
        Instant end = Instant.now();

        // Node 1's certificate lets it write the topic; the name inside is another's.
        node1.producer
                .send(new ProducerRecord<>(
                        Topic.METRICS.topicName(),
                        node1.name,
                        report(node2, loadBalancer, 100, end).toByteArray()))
                .get();
        UUID unknown = UUID.randomUUID();
        String unknownName = ResourceId.NODE.format(unknown);
        node1.producer
                .send(new ProducerRecord<>(
                        Topic.METRICS.topicName(),
                        unknownName,
                        report(node1, loadBalancer, 101, end).toBuilder()
                                .setNodeId(unknownName)
                                .build()
                                .toByteArray()))
                .get();
        node1.producer
                .send(new ProducerRecord<>(Topic.METRICS.topicName(), node1.name, new byte[] {1, 2, 3}))
                .get();
        send(node1, report(node1, loadBalancer, 102, end));

        await().atMost(SOON).untilAsserted(() -> assertThat(rows(loadBalancer)).containsExactly("10 1000 1 20.0"));
        assertThat(provisioner.log()).contains("report in the name of a foreign node was dropped");
    }

    @Test
    void countersOfAForeignProjectAreDropped() throws Exception {
        UUID loadBalancer = world.loadBalancer(World.named(pop), 1);
        Instant end = Instant.now();
        MetricsReport honest = report(node2, loadBalancer, 200, end);
        MetricsReport forged = honest.toBuilder()
                .setDeltas(
                        0, honest.getDeltas(0).toBuilder().setProjectId(ResourceId.PROJECT.format(UUID.randomUUID())))
                .setSequence(201)
                .build();

        send(node2, forged);
        send(node2, honest.toBuilder().setSequence(202).build());

        await().atMost(SOON).untilAsserted(() -> assertThat(rows(loadBalancer)).containsExactly("10 1000 1 20.0"));
    }

    @Test
    void healthReplacesWhatTheNodeSaidBefore() throws Exception {
        UUID loadBalancer = world.loadBalancer(World.named(pop), 2);
        UUID other = UUID.randomUUID();

        health(
                loadBalancer,
                member(MEMBER, OperatingStatus.OPERATING_STATUS_HEALTHY, "connected"),
                member(other, OperatingStatus.OPERATING_STATUS_UNKNOWN, ""));
        await().atMost(SOON).until(() -> statuses(loadBalancer).equals(List.of("healthy connected", "unknown ")));
        health(loadBalancer, member(MEMBER, OperatingStatus.OPERATING_STATUS_UNHEALTHY, "refused"));

        await().atMost(SOON).until(() -> statuses(loadBalancer).equals(List.of("unhealthy refused")));
    }

    private static List<String> rows(UUID loadBalancer) {
        return world.jdbc.sql("""
                        select in_packets || ' ' || in_bytes || ' ' || new_flows || ' ' || active_flow_seconds::numeric(9,1)
                        from metrics_10s where load_balancer_id = ? order by bucket
                        """).param(loadBalancer).query(String.class).list();
    }

    private static List<String> statuses(UUID loadBalancer) {
        return world.jdbc.sql("""
                        select operating_status || ' ' || reason from member_status
                        where load_balancer_id = ? order by operating_status
                        """).param(loadBalancer).query(String.class).list();
    }

    private static MetricsReport report(FakeNode node, UUID loadBalancer, long sequence, Instant end) {
        String name = ResourceId.LOAD_BALANCER.format(loadBalancer);
        String project = ResourceId.PROJECT.format(world.project);
        return MetricsReport.newBuilder()
                .setNodeId(node.name)
                .setPopId(ResourceId.POP.format(pop))
                .setCounterEpoch(0xF000_0000_0000_0000L | loadBalancer.getLeastSignificantBits())
                .setSequence(sequence)
                .setIntervalStartUs(us(end.minusSeconds(2)))
                .setIntervalEndUs(us(end))
                .addDeltas(FlowCounterDelta.newBuilder()
                        .setProjectId(project)
                        .setLoadBalancerId(name)
                        .setListenerId(ResourceId.LISTENER.format(LISTENER))
                        .setMemberId(ResourceId.MEMBER.format(MEMBER))
                        .setInPackets(10)
                        .setInBytes(1000)
                        .setNewFlows(1)
                        .setActiveFlows(10))
                .addDrops(DropDelta.newBuilder()
                        .setProjectId(project)
                        .setLoadBalancerId(name)
                        .setReason("no_flow")
                        .setPackets(3))
                .addDrops(DropDelta.newBuilder().setReason("not_for_us").setPackets(5))
                .build();
    }

    private static void send(FakeNode node, MetricsReport report) throws Exception {
        node.producer
                .send(new ProducerRecord<>(Topic.METRICS.topicName(), node.name, report.toByteArray()))
                .get();
    }

    private static MemberHealthReport member(UUID id, OperatingStatus status, String reason) {
        return MemberHealthReport.newBuilder()
                .setPoolId(ResourceId.POOL.format(POOL))
                .setMemberId(ResourceId.MEMBER.format(id))
                .setStatus(status)
                .setReason(reason)
                .setLastProbeUs(us(Instant.now()))
                .setRttUs(250)
                .build();
    }

    private static void health(UUID loadBalancer, MemberHealthReport... members) throws Exception {
        String name = ResourceId.LOAD_BALANCER.format(loadBalancer);
        HealthReport report = HealthReport.newBuilder()
                .setNodeId(node1.name)
                .setPopId(ResourceId.POP.format(pop))
                .setLoadBalancerId(name)
                .setProjectId(ResourceId.PROJECT.format(world.project))
                .setGeneration(1)
                .addAllMembers(List.of(members))
                .build();
        node1.producer
                .send(new ProducerRecord<>(Topic.HEALTH.topicName(), node1.name + "/" + name, report.toByteArray()))
                .get();
    }

    private static long us(Instant instant) {
        return ChronoUnit.MICROS.between(Instant.EPOCH, instant);
    }
}
