// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.edge.Records;
import dev.weir.edge.reconcile.EffectiveConfig;
import dev.weir.messages.v1.AppliedLoadBalancer;
import dev.weir.messages.v1.ApplyNodeRequest;
import dev.weir.messages.v1.ApplyReply;
import dev.weir.messages.v1.ApplyRequest;
import dev.weir.messages.v1.DrainEnded;
import dev.weir.messages.v1.EngineLoadBalancer;
import dev.weir.messages.v1.ForwardingMode;
import dev.weir.messages.v1.GetStateReply;
import dev.weir.messages.v1.LoadBalancerConfig;
import dev.weir.messages.v1.MemberVerdict;
import dev.weir.messages.v1.ProbeRequest;
import dev.weir.messages.v1.ProbeResult;
import dev.weir.messages.v1.ProbeType;
import dev.weir.messages.v1.SetHealthRequest;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** What the agent relies on in an engine; the fake and the real one pass the same tests. */
abstract class EngineContract {
    static final Duration TIMEOUT = Duration.ofSeconds(5);

    final BlockingQueue<ProbeResult> results = new LinkedBlockingQueue<>();
    final BlockingQueue<DrainEnded> drainsEnded = new LinkedBlockingQueue<>();
    CompletableFuture<String> disconnected = new CompletableFuture<>();

    /** The socket of an engine that runs nothing yet. */
    abstract Path socket();

    SocketEngine connect() throws EngineException {
        disconnected = new CompletableFuture<>();
        CompletableFuture<String> gone = disconnected;
        return SocketEngine.connect(socket(), TIMEOUT, new EngineEvents() {
            @Override
            public void onProbeResult(ProbeResult result) {
                results.add(result);
            }

            @Override
            public void onDrainEnded(DrainEnded ended) {
                drainsEnded.add(ended);
            }

            @Override
            public void onDisconnected(String reason) {
                gone.complete(reason);
            }
        });
    }

    private static void applyNode(Engine engine) throws EngineException {
        assertThat(engine.applyNode(ApplyNodeRequest.newBuilder()
                                .setEpoch(1)
                                .setSequence(1)
                                .setNode(Records.node())
                                .build())
                        .getRejectedCode())
                .isEmpty();
    }

    private static ApplyReply apply(Engine engine, long sequence, LoadBalancerConfig config) throws EngineException {
        return engine.apply(ApplyRequest.newBuilder()
                .addUpserts(EngineLoadBalancer.newBuilder()
                        .setEpoch(1)
                        .setSequence(sequence)
                        .setConfig(config))
                .build());
    }

    @Test
    void helloNamesTheFeatures() throws Exception {
        try (Engine engine = controller()) {
            assertThat(engine.hello().getProtocolVersion()).isEqualTo(1);
            assertThat(engine.hello().getEngineStartId()).isNotZero();
            assertThat(engine.hello().getFeaturesList()).contains("dnat", "maglev");
        }
    }

    @Test
    void secondControllerIsRefused() throws Exception {
        try (Engine first = controller()) {
            assertThatThrownBy(this::connect)
                    .isInstanceOf(EngineException.class)
                    .hasMessageContaining("CONTROLLER_PRESENT");

            assertThat(first.getStatus().getEngineStartId())
                    .isEqualTo(first.hello().getEngineStartId());
        }
    }

    @Test
    void stateNamesWhatWasAppliedByTheHashOfItsBytes() throws Exception {
        LoadBalancerConfig config = Records.loadBalancer("lb_1", "203.0.113.10", 4);
        try (Engine engine = controller()) {
            applyNode(engine);

            ApplyReply reply = apply(engine, 9, config);

            assertThat(reply.getResultsList())
                    .allSatisfy(result -> assertThat(result.getRejectedCode()).isEmpty());
            assertThat(reply.getAppliedAtUs()).isPositive();
            GetStateReply state = engine.getState();
            assertThat(state.getNodeSequence()).isEqualTo(1);
            assertThat(state.getLoadBalancersList()).singleElement().satisfies(one -> {
                assertThat(one.getLoadBalancerId()).isEqualTo("lb_1");
                assertThat(one.getSequence()).isEqualTo(9);
                assertThat(one.getGeneration()).isEqualTo(4);
                assertThat(one.getConfigSha256()).isEqualTo(EffectiveConfig.sha256(config.toByteString()));
            });
        }
    }

    @Test
    void olderSequenceChangesNothing() throws Exception {
        try (Engine engine = controller()) {
            applyNode(engine);
            apply(engine, 9, Records.loadBalancer("lb_1", "203.0.113.10", 4));

            ApplyReply reply = apply(engine, 8, Records.loadBalancer("lb_1", "203.0.113.10", 3));

            assertThat(reply.getResultsList())
                    .allSatisfy(result -> assertThat(result.getRejectedCode()).isEmpty());
            assertThat(engine.getState().getLoadBalancersList())
                    .extracting(AppliedLoadBalancer::getGeneration)
                    .containsExactly(4L);
        }
    }

    @Test
    void unknownFeatureIsRejectedByNameAndTheOldOneStays() throws Exception {
        try (Engine engine = controller()) {
            applyNode(engine);
            apply(engine, 1, Records.loadBalancer("lb_1", "203.0.113.10", 1));

            ApplyReply reply = apply(
                    engine,
                    2,
                    Records.loadBalancer("lb_1", "203.0.113.10", 2).toBuilder()
                            .addRequiredFeatures("teleportation")
                            .build());

            assertThat(reply.getResultsList()).singleElement().satisfies(result -> {
                assertThat(result.getRejectedCode()).isEqualTo("UNSUPPORTED_FEATURE");
                assertThat(result.getRejectedReason()).contains("teleportation");
            });
            assertThat(engine.getState().getLoadBalancersList())
                    .extracting(AppliedLoadBalancer::getGeneration)
                    .containsExactly(1L);
        }
    }

    @Test
    void verdictsOutliveTheConnection() throws Exception {
        try (Engine engine = controller()) {
            applyNode(engine);
            apply(engine, 1, Records.loadBalancer("lb_1", "203.0.113.10", 1));
            engine.setHealth(SetHealthRequest.newBuilder()
                    .addVerdicts(MemberVerdict.newBuilder()
                            .setLoadBalancerId("lb_1")
                            .setMemberId("mbr_2")
                            .setHealthy(false))
                    .build());
        }
        disconnected.get(5, TimeUnit.SECONDS);

        try (Engine again = controller()) {
            assertThat(again.getState().getLoadBalancersList())
                    .singleElement()
                    .satisfies(
                            one -> assertThat(one.getUnhealthyMemberIdsList()).containsExactly("mbr_2"));
        }
    }

    /** Connects; the engine may take a moment to notice that the controller before has left. */
    SocketEngine controller() throws Exception {
        long deadline = System.nanoTime() + TIMEOUT.toNanos();
        while (true) {
            try {
                return connect();
            } catch (EngineException e) {
                if (System.nanoTime() > deadline) {
                    throw e;
                }
                Thread.onSpinWait();
            }
        }
    }

    @Test
    void deletedLoadBalancerIsGoneAndDeletingItAgainIsHarmless() throws Exception {
        try (Engine engine = controller()) {
            applyNode(engine);
            apply(engine, 1, Records.loadBalancer("lb_1", "203.0.113.10", 1));
            ApplyRequest delete =
                    ApplyRequest.newBuilder().addDeleteLoadBalancerIds("lb_1").build();

            engine.apply(delete);
            ApplyReply again = engine.apply(delete);

            assertThat(engine.getState().getLoadBalancersList()).isEmpty();
            assertThat(again.getResultsList())
                    .allSatisfy(result -> assertThat(result.getRejectedCode()).isEmpty());
        }
    }

    @Test
    void everyProbeGetsOneResult() throws Exception {
        try (Engine engine = controller()) {
            applyNode(engine);

            engine.probe(ProbeRequest.newBuilder()
                    .setProbeId(4711)
                    .setType(ProbeType.PROBE_TYPE_TCP_CONNECT)
                    .setForwardingMode(ForwardingMode.FORWARDING_MODE_DNAT)
                    .setMemberAddress(Records.ip("10.1.20.11"))
                    .setMemberPort(8080)
                    .setTimeoutMs(200)
                    .build());

            ProbeResult result = results.poll(5, TimeUnit.SECONDS);
            assertThat(result).isNotNull();
            assertThat(result.getProbeId()).isEqualTo(4711);
            assertThat(result.getOutcomeValue()).isPositive();
        }
    }

    @Test
    void membersAndCountersCanBeRead() throws Exception {
        try (Engine engine = controller()) {
            applyNode(engine);
            apply(engine, 1, Records.loadBalancer("lb_1", "203.0.113.10", 1));

            assertThat(engine.listMembers("").getMembersList())
                    .extracting(member -> member.getMemberId())
                    .containsExactlyInAnyOrder("mbr_1", "mbr_2");
            assertThat(engine.getCounters().getCountersId()).isNotZero();
        }
    }
}
