// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.edge.engine.DirectEngine;
import dev.weir.edge.engine.EngineModel;
import dev.weir.edge.health.HealthLimits;
import dev.weir.edge.report.Reports;
import dev.weir.edge.stream.Batch;
import dev.weir.edge.stream.Batch.ConfigRead;
import dev.weir.edge.stream.Batch.PopsRead;
import dev.weir.edge.stream.DesiredFile;
import dev.weir.edge.stream.ReadPosition;
import dev.weir.messages.v1.ConfigRecord;
import dev.weir.messages.v1.DrainEnded;
import dev.weir.messages.v1.DrainingKey;
import dev.weir.messages.v1.FlowCounters;
import dev.weir.messages.v1.HealthReport;
import dev.weir.messages.v1.LoadBalancerConfig;
import dev.weir.messages.v1.LoadBalancerRecord;
import dev.weir.messages.v1.MetricsReport;
import dev.weir.messages.v1.NodeWatermark;
import dev.weir.messages.v1.OperatingStatus;
import dev.weir.messages.v1.Overlay;
import dev.weir.messages.v1.OverlayEntry;
import dev.weir.messages.v1.PartitionWatermark;
import dev.weir.messages.v1.ProbeOutcome;
import dev.weir.messages.v1.ProbeRequest;
import dev.weir.messages.v1.ProbeResult;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A whole agent, turned by hand. */
class AgentTests {
    @TempDir
    Path directory;

    private final ManualClock clock = new ManualClock();
    private final EngineModel model = new EngineModel();
    private final RememberingAnnouncer announcer = new RememberingAnnouncer();
    private final Remembering reports = new Remembering();

    private static final class Remembering implements Reports {
        final List<NodeWatermark> watermarks = new ArrayList<>();
        final Map<String, Optional<HealthReport>> health = new HashMap<>();
        final List<MetricsReport> metrics = new ArrayList<>();
        boolean taken = true;

        @Override
        public void watermark(NodeWatermark watermark) {
            watermarks.add(watermark);
        }

        @Override
        public void health(String loadBalancerId, @Nullable HealthReport report) {
            health.put(loadBalancerId, Optional.ofNullable(report));
        }

        @Override
        public void metrics(MetricsReport report, Consumer<Boolean> done) {
            if (taken) {
                metrics.add(report);
            }
            done.accept(taken);
        }
    }

    private Agent agent(boolean standsAlone) {
        AgentConfig config = new AgentConfig(
                Records.NODE,
                Records.POP,
                directory,
                directory,
                directory,
                directory,
                null,
                null,
                "127.0.0.1",
                0,
                false,
                HealthLimits.defaults());
        return new Agent(config, standsAlone, clock, new Random(3), announcer, reports, Runnable::run);
    }

    private DirectEngine connect(Agent agent) {
        DirectEngine engine = new DirectEngine(model);
        agent.onConnected(engine);
        turn(agent);
        return engine;
    }

    private void turn(Agent agent) {
        clock.advance(Duration.ofMillis(10));
        agent.turn();
        agent.turn();
    }

    private void pass(Agent agent, DirectEngine engine, Duration time) {
        for (long ms = 0; ms < time.toMillis(); ms += 50) {
            clock.advance(Duration.ofMillis(50));
            agent.turn();
            for (ProbeRequest probe : List.copyOf(engine.probes)) {
                agent.onProbeResult(ProbeResult.newBuilder()
                        .setProbeId(probe.getProbeId())
                        .setOutcome(model.outcomes.getOrDefault(
                                probe.getMemberAddress(), ProbeOutcome.PROBE_OUTCOME_CONNECTED))
                        .build());
            }
            engine.probes.clear();
            agent.turn();
        }
    }

    private static Batch batch(long offset, ConfigRecord... records) {
        List<ConfigRead> config = new ArrayList<>();
        for (ConfigRecord record : records) {
            config.add(new ConfigRead(record.getLoadBalancer().getLoadBalancerId(), 3, offset, record));
        }
        return new Batch(
                config,
                List.of(new PopsRead(Records.NODE, Records.nodeRecord(1, Records.node()))),
                Map.of(3, offset + 1),
                1,
                true);
    }

    private static LoadBalancerConfig web(long generation) {
        return Records.loadBalancer("lb_1", "203.0.113.10", generation);
    }

    private void resume(Agent agent) {
        agent.resume("topic-1", "pops-1", Duration.ofHours(24), false);
    }

    private PartitionWatermark lastWatermark() {
        return reports.watermarks.getLast().getPartitions(0);
    }

    @Test
    void watermarkStaysBelowARecordThatTheEngineHasNotAcknowledged() {
        Agent agent = agent(false);
        resume(agent);
        agent.take(batch(40, Records.record(1, web(1))));
        clock.advance(Duration.ofSeconds(3));
        turn(agent);
        assertThat(lastWatermark().getPosition()).isEqualTo(40);
        assertThat(reports.watermarks.getLast().getEngineReady()).isFalse();

        connect(agent);
        turn(agent);

        assertThat(lastWatermark().getPosition()).isEqualTo(41);
        assertThat(lastWatermark().getAppliedAtUs()).isPositive();
        assertThat(reports.watermarks.getLast().getEngineReady()).isTrue();
    }

    private static Batch deletion(long offset, long sequence, String id) {
        return new Batch(
                List.of(new ConfigRead(id, 3, offset, Records.deleted(sequence))),
                List.of(),
                Map.of(3, offset + 1),
                1,
                true);
    }

    private List<DrainingKey> lastDraining() {
        return reports.watermarks.getLast().getDrainingList();
    }

    private static DrainEnded ended(String id, long drainId) {
        return DrainEnded.newBuilder().setLoadBalancerId(id).setDrainId(drainId).build();
    }

    @Test
    void deletionDoesNotCountAsPassedWhileFlowsDrain() {
        Agent agent = agent(false);
        resume(agent);
        agent.take(batch(40, Records.record(1, web(1))));
        connect(agent);
        model.drains.put("lb_1", 5L);

        agent.take(deletion(41, 2, "lb_1"));
        turn(agent);

        assertThat(model.generations()).isEmpty();
        assertThat(lastDraining())
                .containsExactly(DrainingKey.newBuilder()
                        .setKey("lb_1")
                        .setPosition(41)
                        .setDeadlineUs(EngineModel.DRAIN_DEADLINE_US)
                        .build());
        assertThat(lastWatermark().getPosition())
                .as("others of the partition do not wait")
                .isEqualTo(42);

        agent.onDrainEnded(ended("lb_1", 5));
        turn(agent);

        assertThat(lastDraining()).isEmpty();
    }

    @Test
    void endOfAnEarlierDrainDoesNotEndALaterOne() {
        Agent agent = agent(false);
        resume(agent);
        agent.take(batch(40, Records.record(1, web(1))));
        connect(agent);
        model.drains.put("lb_1", 5L);
        agent.take(deletion(41, 2, "lb_1"));
        turn(agent);
        model.drains.put("lb_1", 6L);
        agent.take(batch(42, Records.record(3, web(3))));
        turn(agent);

        agent.onDrainEnded(ended("lb_1", 5));
        turn(agent);

        assertThat(lastDraining()).extracting(DrainingKey::getPosition).containsExactly(41L);
        agent.onDrainEnded(ended("lb_1", 6));
        turn(agent);
        assertThat(lastDraining()).isEmpty();
    }

    @Test
    void drainIsKnownAgainAfterTheAgentOrItsConnectionCameBack() {
        Agent agent = agent(false);
        resume(agent);
        agent.take(batch(40, Records.record(1, web(1))));
        connect(agent);
        model.drains.put("lb_1", 5L);
        agent.take(deletion(41, 2, "lb_1"));
        turn(agent);

        Agent again = agent(false);
        resume(again);
        DirectEngine engine = connect(again);

        assertThat(lastDraining()).extracting(DrainingKey::getPosition).containsExactly(41L);
        model.drains.clear();
        engine.fail();
        again.onDisconnected(engine);
        connect(again);
        assertThat(lastDraining()).as("it ended unheard").isEmpty();
    }

    @Test
    void engineRestartedEmptyIsBroughtToTheSameState() {
        Agent agent = agent(false);
        resume(agent);
        agent.take(batch(40, Records.record(1, web(1))));
        DirectEngine engine = connect(agent);

        model.wipe();
        engine.fail();
        agent.onDisconnected(engine);
        turn(agent);
        connect(agent);

        assertThat(model.generations()).containsExactly(Map.entry("lb_1", 1L));
        assertThat(model.node()).isEqualTo(Records.node());
        assertThat(announcer.announcedVips()).hasToString("[203.0.113.10]");
    }

    @Test
    void restartWithEverythingElseGoneChangesNothing() {
        Agent agent = agent(false);
        resume(agent);
        agent.take(batch(40, Records.record(1, web(1))));
        connect(agent);
        int applies = model.applies.size();

        connect(agent(false));

        assertThat(model.applies).hasSize(applies);
        assertThat(announcer.announcedVips()).hasToString("[203.0.113.10]");
    }

    @Test
    void agentThatLostItsDiskTouchesNothingOfItsEngine() {
        Agent agent = agent(false);
        resume(agent);
        agent.take(batch(40, Records.record(1, web(1))));
        connect(agent);
        directory = directory.resolve("other");
        directory.toFile().mkdirs();
        int applies = model.applies.size();

        Agent blank = agent(false);
        connect(blank);
        resume(blank);
        blank.take(batch(0));
        turn(blank);

        assertThat(model.applies).hasSize(applies);
        assertThat(model.generations()).containsOnlyKeys("lb_1");
        assertThat(announcer.announcedVips()).hasToString("[203.0.113.10]");
    }

    @Test
    void offsetsOfAnotherTopicOrOfAnOldStateAreNotUsed() {
        Agent agent = agent(false);
        resume(agent);
        agent.take(batch(40, Records.record(1, web(1))));
        turn(agent);

        Optional<ReadPosition> same = agent(false).resume("topic-1", "pops-1", Duration.ofHours(24), false);
        Optional<ReadPosition> other = agent(false).resume("topic-2", "pops-1", Duration.ofHours(24), false);
        clock.advance(Duration.ofHours(13));
        Optional<ReadPosition> old = agent(false).resume("topic-1", "pops-1", Duration.ofHours(24), false);

        assertThat(same)
                .hasValueSatisfying(
                        position -> assertThat(position.configNextOffsets()).containsEntry(3, 41L));
        assertThat(other).isEmpty();
        assertThat(old).isEmpty();
    }

    @Test
    void drainEndsByItselfWhileTheCentreIsAway() {
        Agent agent = agent(false);
        resume(agent);
        long endsAtUs = clock.unixMicros() + TimeUnit.SECONDS.toMicros(30);
        agent.take(batch(
                40,
                Records.record(
                        1,
                        LoadBalancerRecord.newBuilder()
                                .setLoadBalancerId("lb_1")
                                .setStable(web(1))
                                .setOverlay(Overlay.newBuilder()
                                        .addEntries(OverlayEntry.newBuilder()
                                                .setDrainMemberId("mbr_2")
                                                .setEndsAtUs(endsAtUs)))
                                .build())));
        DirectEngine engine = connect(agent);
        assertThat(model.runs("lb_1").getConfig().getPools(0).getMembers(1).getWeight())
                .isZero();

        pass(agent, engine, Duration.ofSeconds(31));

        assertThat(model.runs("lb_1").getConfig()).isEqualTo(web(1));
    }

    @Test
    void shiftOutlivesTheAgentAndEndsByItselfWhileTheCentreIsAway() {
        Agent agent = agent(false);
        resume(agent);
        ConfigRecord shifted = Records.record(
                1,
                LoadBalancerRecord.newBuilder()
                        .setLoadBalancerId("lb_1")
                        .setStable(web(1))
                        .setOverlay(Overlay.newBuilder()
                                .addEntries(OverlayEntry.newBuilder()
                                        .setShiftAwayPopId(Records.POP)
                                        .setEndsAtUs(clock.unixMicros() + TimeUnit.SECONDS.toMicros(60))))
                        .build());
        agent.take(batch(40, shifted));
        DirectEngine engine = connect(agent);
        pass(agent, engine, Duration.ofSeconds(5));
        assertThat(model.runs("lb_1").getConfig()).isEqualTo(web(1));
        assertThat(announcer.announcedVips()).isEmpty();

        Agent next = agent(false);
        DirectEngine again = connect(next);
        pass(next, again, Duration.ofSeconds(50));
        assertThat(announcer.announcedVips()).isEmpty();
        pass(next, again, Duration.ofSeconds(6));

        assertThat(announcer.announcedVips()).isNotEmpty();
    }

    @Test
    void drainingMemberIsReportedWithItsFlowsAndDeadline() {
        Agent agent = agent(false);
        resume(agent);
        LoadBalancerConfig.Builder draining = web(1).toBuilder();
        draining.getPoolsBuilder(0).getMembersBuilder(1).setWeight(0);
        model.activeFlows.put("mbr_2", 7L);
        agent.take(batch(40, Records.record(1, draining.build())));
        DirectEngine engine = connect(agent);

        pass(agent, engine, Duration.ofSeconds(3));

        assertThat(reports.health.get("lb_1")).hasValueSatisfying(report -> {
            assertThat(report.getMembers(0).getStatus()).isEqualTo(OperatingStatus.OPERATING_STATUS_HEALTHY);
            assertThat(report.getMembers(1).getStatus()).isEqualTo(OperatingStatus.OPERATING_STATUS_DRAINING);
            assertThat(report.getMembers(1).getActiveFlows()).isEqualTo(7);
            assertThat(report.getMembers(1).getDrainDeadlineUs()).isEqualTo(99);
        });

        model.activeFlows.clear();
        pass(agent, engine, Duration.ofSeconds(3));
        assertThat(reports.health.get("lb_1"))
                .hasValueSatisfying(report -> assertThat(report.getMembers(1).getStatus())
                        .isEqualTo(OperatingStatus.OPERATING_STATUS_DISABLED));
    }

    @Test
    void verdictReachesTheEngineAndOutlivesTheAgent() {
        model.outcome(Records.ip("10.1.20.12"), ProbeOutcome.PROBE_OUTCOME_TIMEOUT);
        Agent agent = agent(false);
        resume(agent);
        agent.take(batch(40, Records.record(1, web(1))));
        DirectEngine engine = connect(agent);
        pass(agent, engine, Duration.ofSeconds(5));
        assertThat(model.unhealthy("lb_1")).containsExactly("mbr_2");

        Agent next = agent(false);
        DirectEngine again = connect(next);
        assertThat(model.unhealthy("lb_1")).containsExactly("mbr_2");

        model.outcome(Records.ip("10.1.20.12"), ProbeOutcome.PROBE_OUTCOME_CONNECTED);
        pass(next, again, Duration.ofSeconds(5));
        assertThat(model.unhealthy("lb_1")).isEmpty();
    }

    @Test
    void countersAreReportedOnceOverRestartsAndOutagesOfTheCentre() {
        Agent agent = agent(false);
        resume(agent);
        agent.take(batch(40, Records.record(1, web(1))));
        DirectEngine engine = connect(agent);
        count(10);
        pass(agent, engine, Duration.ofSeconds(3));
        reports.taken = false;
        count(25);
        pass(agent, engine, Duration.ofSeconds(3));
        count(31);
        pass(agent, engine, Duration.ofSeconds(3));

        Agent next = agent(false);
        reports.taken = true;
        count(40);
        pass(next, connect(next), Duration.ofSeconds(5));

        assertThat(reports.metrics.stream()
                        .flatMap(report -> report.getDeltasList().stream())
                        .mapToLong(delta -> delta.getInPackets())
                        .sum())
                .isEqualTo(40);
        assertThat(reports.metrics).extracting(MetricsReport::getSequence).containsExactly(1L, 2L, 3L, 4L);
        assertThat(reports.metrics)
                .extracting(MetricsReport::getCounterEpoch)
                .containsOnly(reports.metrics.getFirst().getCounterEpoch());
    }

    @Test
    void countersOfANewEngineBeginAtZero() {
        Agent agent = agent(false);
        resume(agent);
        agent.take(batch(40, Records.record(1, web(1))));
        DirectEngine engine = connect(agent);
        count(10);
        pass(agent, engine, Duration.ofSeconds(3));

        model.wipe();
        agent.onDisconnected(engine);
        count(4);
        pass(agent, connect(agent), Duration.ofSeconds(3));

        assertThat(reports.metrics.stream()
                        .flatMap(report -> report.getDeltasList().stream())
                        .mapToLong(delta -> delta.getInPackets())
                        .sum())
                .isEqualTo(14);
    }

    @Test
    void fileThatWasNotReadYetRemovesNothingAndAnEmptyOneAll() {
        Agent agent = agent(true);
        agent.replaceAll(new DesiredFile(
                Map.of(Records.NODE, Records.nodeRecord(1, Records.node())),
                Map.of("lb_1", Records.record(1, web(1)))));
        connect(agent);
        directory = directory.resolve("other");
        directory.toFile().mkdirs();

        Agent next = agent(true);
        connect(next);
        assertThat(model.generations()).containsOnlyKeys("lb_1");

        next.replaceAll(new DesiredFile(Map.of(Records.NODE, Records.nodeRecord(1, Records.node())), Map.of()));
        turn(next);
        assertThat(model.generations()).isEmpty();
        assertThat(announcer.announcedVips()).isEmpty();
    }

    private void count(long packets) {
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
