// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.report;

import dev.weir.edge.AgentTime;
import dev.weir.edge.AgentVersion;
import dev.weir.edge.reconcile.ActualState;
import dev.weir.edge.stream.ReadPosition;
import dev.weir.messages.v1.HelloReply;
import dev.weir.messages.v1.NodeWatermark;
import dev.weir.messages.v1.RejectedKey;
import java.util.HexFormat;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/** Says how far the node has come: soon after each change, and each second. Not thread-safe. */
public final class WatermarkReporter {
    /** Changes this close together share a watermark. */
    private static final long COALESCE_MS = 5;

    /** A starting agent waits this long for its engine before it says that nothing is known to run. */
    private static final long ENGINE_GRACE_MS = 2_000;

    private final String nodeId;
    private final String popId;
    private final AgentTime time;
    private final Reports reports;
    private final String agentStartId;
    private final long startedAtMs;

    private HelloReply engine = HelloReply.getDefaultInstance();
    private boolean engineMet;
    private boolean engineReady;
    private boolean owed;
    private long lastSentMs;
    private long sent;

    public WatermarkReporter(String nodeId, String popId, AgentTime time, RandomGenerator random, Reports reports) {
        this.nodeId = nodeId;
        this.popId = popId;
        this.time = time;
        this.reports = reports;
        this.agentStartId = HexFormat.of().toHexDigits(random.nextLong());
        this.startedAtMs = time.monotonicMillis();
        this.lastSentMs = startedAtMs - COALESCE_MS;
    }

    public void changed() {
        owed = true;
    }

    public void engineIs(HelloReply hello) {
        engine = hello;
        engineMet = true;
        owed = true;
    }

    public void engineReady(boolean ready) {
        owed |= engineReady != ready;
        engineReady = ready;
    }

    public void engineIsAway() {
        engineReady(false);
    }

    /** Watermarks handed over since the start. */
    public long sent() {
        return sent;
    }

    public long delayMs() {
        return owed ? Math.max(0, mayLeaveAtMs() - time.monotonicMillis()) : Long.MAX_VALUE;
    }

    private long mayLeaveAtMs() {
        long coalesced = lastSentMs + COALESCE_MS;
        return engineMet ? coalesced : Math.max(coalesced, startedAtMs + ENGINE_GRACE_MS);
    }

    public void sendIfDue(Progress progress, ReadPosition position, @Nullable ActualState actual) {
        if (position.configTopicId().isEmpty()) {
            // Nothing was read, so there is nothing to say.
            owed = false;
        }
        long nowMs = time.monotonicMillis();
        if (!owed || nowMs < mayLeaveAtMs()) {
            return;
        }
        owed = false;
        lastSentMs = nowMs;
        sent++;
        NodeWatermark.Builder watermark = NodeWatermark.newBuilder()
                .setNodeId(nodeId)
                .setPopId(popId)
                .setSentAtUs(time.unixMicros())
                .setAgentStartId(agentStartId)
                .setEngineStartId(engine.getEngineStartId())
                .setTopicId(position.configTopicId())
                .addAllPartitions(progress.watermarks())
                .addAllDraining(progress.drainingKeys())
                .addAllFeatures(engine.getFeaturesList())
                .setAgentVersion(AgentVersion.get())
                .setEngineVersion(engine.getVersion())
                .setEngineReady(engineReady);
        if (actual != null) {
            watermark.setNodeConfigSequence(actual.nodeVersion().sequence());
            actual.rejections()
                    .forEach((key, rejection) -> watermark.addRejected(RejectedKey.newBuilder()
                            .setKey(key)
                            .setEpoch(rejection.version().epoch())
                            .setSequence(rejection.version().sequence())
                            .setCode(rejection.code())
                            .setReason(rejection.reason())
                            .setRunningGeneration(rejection.runningGeneration())));
        }
        reports.watermark(watermark.build());
    }
}
