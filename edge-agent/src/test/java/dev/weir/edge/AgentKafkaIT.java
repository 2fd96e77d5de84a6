// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.edge.engine.EngineModel;
import dev.weir.edge.engine.FakeEngine;
import dev.weir.edge.store.StateStore;
import dev.weir.edge.stream.KafkaAccess;
import dev.weir.messages.v1.ConfigRecord;
import dev.weir.messages.v1.DeletedRecord;
import dev.weir.messages.v1.FlowCounters;
import dev.weir.messages.v1.FlowRecord;
import dev.weir.messages.v1.FlowRecords;
import dev.weir.messages.v1.FlowsRecord;
import dev.weir.messages.v1.HealthReport;
import dev.weir.messages.v1.MetricsReport;
import dev.weir.messages.v1.NodeWatermark;
import dev.weir.messages.v1.OperatingStatus;
import dev.weir.messages.v1.ProbeOutcome;
import dev.weir.testbed.servers.KafkaServer;
import dev.weir.testbed.servers.TestServers;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.function.BooleanSupplier;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The agent between a real Kafka and an engine that speaks the real protocol. */
class AgentKafkaIT {
    @TempDir
    Path directory;

    private final EngineModel model = new EngineModel();
    private final RememberingAnnouncer announcer = new RememberingAnnouncer();
    private KafkaServer kafka;
    private FakeEngine engine;
    private Centre centre;

    @BeforeEach
    void begin() throws Exception {
        kafka = TestServers.kafka();
        kafka.start();
        engine = FakeEngine.listen(directory.resolve("engine.sock"), model);
        centre = new Centre(kafka);
        centre.allow(Records.NODE);
        centre.publish(KafkaAccess.POPS_TOPIC, Records.NODE, Records.nodeRecord(1, Records.node()));
    }

    @AfterEach
    void end() throws Exception {
        // The broker outlives a test, its load balancer must not.
        kafka.start();
        centre.wipe();
        centre.close();
        engine.close();
    }

    private RecordMetadata publish(long sequence, long generation) throws Exception {
        return centre.publish(
                KafkaAccess.CONFIG_TOPIC,
                "lb_1",
                Records.record(sequence, Records.loadBalancer("lb_1", "203.0.113.10", generation)));
    }

    private NodeWatermark awaitPassed(RecordMetadata record) throws Exception {
        return centre.await(
                KafkaAccess.WATERMARKS_TOPIC, NodeWatermark.parser(), watermark -> passed(watermark, record));
    }

    private static boolean passed(NodeWatermark watermark, RecordMetadata record) {
        return watermark.getPartitionsList().stream()
                .anyMatch(one -> one.getPartition() == record.partition() && one.getPosition() > record.offset());
    }

    private static void await(BooleanSupplier condition) throws InterruptedException {
        long deadline = System.nanoTime() + 60_000_000_000L;
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError("waited in vain");
            }
            Thread.sleep(5);
        }
    }

    @Test
    void publishedRecordRunsAndTheWatermarkPassesIt() throws Exception {
        try (RunningAgent agent = new RunningAgent(kafka, directory, announcer)) {
            RecordMetadata record = publish(1, 1);

            NodeWatermark watermark = awaitPassed(record);

            assertThat(model.generations()).containsExactly(Map.entry("lb_1", 1L));
            assertThat(watermark.getPartitionsCount()).isEqualTo(16);
            assertThat(watermark.getFeaturesList()).contains("dnat");
            assertThat(announcer.announcedVips()).hasToString("[203.0.113.10]");
            assertThat(agent.view().loadBalancersApplied()).isEqualTo(1);

            int rounds = 40;
            long[] applied = new long[rounds];
            long[] seen = new long[rounds];
            for (int round = 0; round < rounds; round++) {
                int generation = round + 2;
                long start = System.nanoTime();
                RecordMetadata next = publish(generation, generation);
                await(() -> model.generations().equals(Map.of("lb_1", (long) generation)));
                applied[round] = (System.nanoTime() - start) / 1_000;
                awaitPassed(next);
                seen[round] = (System.nanoTime() - start) / 1_000;
            }
            Arrays.sort(applied);
            Arrays.sort(seen);
            System.out.printf(
                    "publish -> engine acknowledged: median %d us, p95 %d us; -> watermark read: median %d us, p95 %d us%n",
                    applied[rounds / 2], applied[rounds * 95 / 100], seen[rounds / 2], seen[rounds * 95 / 100]);
            assertThat(applied[rounds / 2]).isLessThan(250_000);
        }
    }

    @Test
    void rejectedRecordIsReportedWithItsReasonAndTheOldOneStays() throws Exception {
        try (RunningAgent agent = new RunningAgent(kafka, directory, announcer)) {
            awaitPassed(publish(1, 1));

            RecordMetadata second = centre.publish(
                    KafkaAccess.CONFIG_TOPIC,
                    "lb_1",
                    Records.record(
                            2,
                            Records.loadBalancer("lb_1", "203.0.113.10", 2).toBuilder()
                                    .addRequiredFeatures("teleportation")
                                    .build()));

            NodeWatermark watermark = awaitPassed(second);
            assertThat(watermark.getRejectedList()).singleElement().satisfies(rejected -> {
                assertThat(rejected.getKey()).isEqualTo("lb_1");
                assertThat(rejected.getSequence()).isEqualTo(2);
                assertThat(rejected.getCode()).isEqualTo("UNSUPPORTED_FEATURE");
                assertThat(rejected.getReason()).contains("teleportation");
                assertThat(rejected.getRunningGeneration()).isEqualTo(1);
            });
            assertThat(model.generations()).containsExactly(Map.entry("lb_1", 1L));
            assertThat(agent.view().loadBalancersRejected()).isEqualTo(1);
        }
    }

    @Test
    void agentComesBackFromDiskWhileKafkaIsAwayAndCatchesUpAfterwards() throws Exception {
        try (RunningAgent agent = new RunningAgent(kafka, directory, announcer)) {
            awaitPassed(publish(1, 1));
            await(() -> new StateStore(directory, Records.NODE)
                    .load()
                    .filter(state -> state.getKeysCount() == 1)
                    .isPresent());
            assertThat(agent.view().engineConnected()).isTrue();
        }
        kafka.kill();
        model.wipe();
        try (RunningAgent again = new RunningAgent(kafka, directory, announcer)) {
            await(() -> model.generations().equals(Map.of("lb_1", 1L)));
            await(() -> announcer.announcedVips().toString().equals("[203.0.113.10]"));

            kafka.start();
            awaitPassed(publish(2, 2));
            assertThat(model.generations()).containsExactly(Map.entry("lb_1", 2L));
            assertThat(again.view().loadBalancersApplied()).isEqualTo(1);
        }
    }

    @Test
    void brokerKilledUnderTheAgentIsReadAgain() throws Exception {
        try (RunningAgent agent = new RunningAgent(kafka, directory, announcer)) {
            awaitPassed(publish(1, 1));

            kafka.crash();

            awaitPassed(publish(2, 2));
            assertThat(model.generations()).containsExactly(Map.entry("lb_1", 2L));
            assertThat(agent.view().engineConnected()).isTrue();
        }
    }

    @Test
    void kafkaWipedUnderTrafficRemovesNothing() throws Exception {
        try (RunningAgent agent = new RunningAgent(kafka, directory, announcer)) {
            String topicBefore = awaitPassed(publish(1, 1)).getTopicId();
            centre.wipe();

            centre.await(
                    KafkaAccess.WATERMARKS_TOPIC,
                    NodeWatermark.parser(),
                    watermark -> !watermark.getTopicId().equals(topicBefore) && watermark.getPartitionsCount() == 16);

            assertThat(model.generations()).containsExactly(Map.entry("lb_1", 1L));
            assertThat(announcer.announcedVips()).hasToString("[203.0.113.10]");
            assertThat(agent.view().loadBalancersApplied()).isEqualTo(1);
        }
    }

    @Test
    void deletedLoadBalancerLeavesEngineAndAnnouncements() throws Exception {
        try (RunningAgent agent = new RunningAgent(kafka, directory, announcer)) {
            awaitPassed(publish(1, 1));

            awaitPassed(centre.publish(
                    KafkaAccess.CONFIG_TOPIC,
                    "lb_1",
                    ConfigRecord.newBuilder()
                            .setEpoch(1)
                            .setSequence(2)
                            .setDeleted(DeletedRecord.newBuilder().setGeneration(1))
                            .build()));

            assertThat(model.generations()).isEmpty();
            assertThat(announcer.announcedVips()).isEmpty();
            assertThat(agent.view().loadBalancersApplied()).isZero();
        }
    }

    @Test
    void unhealthyMemberIsToldToTheEngineAndReported() throws Exception {
        model.outcome(Records.ip("10.1.20.12"), ProbeOutcome.PROBE_OUTCOME_REFUSED);
        try (RunningAgent agent = new RunningAgent(kafka, directory, announcer)) {
            publish(1, 1);

            HealthReport report = centre.await(
                    KafkaAccess.HEALTH_TOPIC,
                    HealthReport.parser(),
                    one -> one.getMembersList().stream()
                            .anyMatch(member -> member.getStatus() == OperatingStatus.OPERATING_STATUS_UNHEALTHY));

            assertThat(report.getMembersList())
                    .filteredOn(member -> member.getMemberId().equals("mbr_2"))
                    .singleElement()
                    .satisfies(member -> assertThat(member.getReason()).isEqualTo("refused"));
            await(() -> model.unhealthy("lb_1").contains("mbr_2"));
            assertThat(agent.view().membersUnhealthy()).isEqualTo(1);
        }
    }

    @Test
    void countersArriveOnceOverAnAgentsRestart() throws Exception {
        try (RunningAgent agent = new RunningAgent(kafka, directory, announcer)) {
            awaitPassed(publish(1, 1));
            count(100);
            MetricsReport first = centre.await(KafkaAccess.METRICS_TOPIC, MetricsReport.parser(), report -> true);
            assertThat(first.getDeltasList())
                    .singleElement()
                    .satisfies(delta -> assertThat(delta.getInPackets()).isEqualTo(100));
            assertThat(agent.view().engineConnected()).isTrue();
        }
        count(150);

        try (RunningAgent again = new RunningAgent(kafka, directory, announcer)) {
            MetricsReport second = centre.await(
                    KafkaAccess.METRICS_TOPIC,
                    MetricsReport.parser(),
                    report -> report.getDeltasList().stream().anyMatch(delta -> delta.getInPackets() == 50));
            assertThat(second.getSequence()).isEqualTo(2);
            assertThat(again.view().engineConnected()).isTrue();
        }
    }

    @Test
    void flowRecordsReachTheirTopic() throws Exception {
        try (RunningAgent agent = new RunningAgent(kafka, directory, announcer)) {
            engine.awaitFlowReader();
            engine.sendFlowRecords(FlowRecords.newBuilder()
                    .addRecords(
                            FlowRecord.newBuilder().setLoadBalancerId("lb_1").setInPackets(9))
                    .build());

            FlowsRecord record = centre.await(KafkaAccess.FLOWS_TOPIC, FlowsRecord.parser(), FlowsRecord::hasFlow);

            assertThat(record.getFlow().getNodeId()).isEqualTo(Records.NODE);
            assertThat(record.getFlow().getInPackets()).isEqualTo(9);
            assertThat(agent.view()).isNotNull();
        }
    }

    private void count(long packets) {
        synchronized (model) {
            model.flows.put(
                    "lb_1",
                    FlowCounters.newBuilder()
                            .setProjectId("prj_1")
                            .setLoadBalancerId("lb_1")
                            .setListenerId("lst_lb_1")
                            .setMemberId("mbr_1")
                            .setInPackets(packets)
                            .build());
        }
    }
}
