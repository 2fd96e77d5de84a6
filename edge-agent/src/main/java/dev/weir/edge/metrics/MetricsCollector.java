// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.metrics;

import dev.weir.edge.AgentConfig;
import dev.weir.edge.AgentTime;
import dev.weir.edge.engine.Engine;
import dev.weir.edge.engine.EngineException;
import dev.weir.edge.reconcile.ActualState;
import dev.weir.edge.reconcile.ActualState.Applied;
import dev.weir.edge.report.Reports;
import dev.weir.edge.store.CheckedFile;
import dev.weir.edge.store.state.MetricsState;
import dev.weir.messages.v1.DropDelta;
import dev.weir.messages.v1.GetCountersReply;
import dev.weir.messages.v1.MetricsReport;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Turns an engine's counters into numbered reports. What was read and what is not confirmed yet is on the disk before
 * a report leaves, so that a restart of the agent neither repeats nor loses a count; the consumer drops a number that
 * it has seen. Reports leave one by one, in order. Not thread-safe.
 */
public final class MetricsCollector {
    private static final Logger log = LoggerFactory.getLogger(MetricsCollector.class);

    /** With so many unconfirmed no more are made: the counts gather in the engine and come as one later. */
    static final int MAX_UNCONFIRMED = 300;

    private final String nodeId;
    private final String popId;
    private final CheckedFile<MetricsState> file;
    private final Reports reports;
    private final Executor disk;
    private final Consumer<Runnable> agent;
    private final Deque<MetricsReport> unconfirmed = new ArrayDeque<>();

    private MetricsState last;
    private Map<String, Long> drops = Map.of();
    private long savedSequence;
    private boolean sending;
    private boolean saving;

    /** @param agent runs a task on the agent's thread */
    public MetricsCollector(
            AgentConfig config, AgentTime time, Reports reports, Executor disk, Consumer<Runnable> agent) {
        this.nodeId = config.nodeId();
        this.popId = config.popId();
        this.file = new CheckedFile<>(config.stateDir().resolve("metrics-state.bin"), MetricsState.parser());
        this.reports = reports;
        this.disk = disk;
        this.agent = agent;
        this.last = file.load()
                .filter(state -> state.getNodeId().equals(nodeId))
                .orElseGet(() -> MetricsState.newBuilder()
                        .setNodeId(nodeId)
                        .setCounterEpoch(time.unixMicros())
                        .build());
        unconfirmed.addAll(last.getUnconfirmedList());
        savedSequence = last.getLastSequence();
    }

    /** Reports that the centre has not confirmed. */
    public int unconfirmed() {
        return unconfirmed.size();
    }

    /** Packets that the engine dropped, by reason, as of the last reading that found something new. */
    public Map<String, Long> drops() {
        return drops;
    }

    /** Of an engine met without any record of its counters, what it counted before is not reported. */
    public void engineConnected(Engine engine) throws EngineException {
        if (last.getCountersId() == 0) {
            last = reading(engine.getCounters());
        }
    }

    public void collect(Engine engine, @Nullable ActualState actual) throws EngineException {
        if (unconfirmed.size() < MAX_UNCONFIRMED && !saving) {
            GetCountersReply now = engine.getCounters();
            MetricsReport.Builder report = MetricsReport.newBuilder();
            CounterDeltas.between(last, now, id -> project(id, actual), report);
            if (report.getDeltasCount() > 0 || report.getDropsCount() > 0) {
                take(now, report);
                return;
            }
        }
        sendNext();
    }

    private void take(GetCountersReply now, MetricsReport.Builder report) {
        report.setNodeId(nodeId)
                .setPopId(popId)
                .setCounterEpoch(last.getCounterEpoch())
                .setSequence(last.getLastSequence() + 1)
                .setIntervalStartUs(last.getTakenAtUs())
                .setIntervalEndUs(now.getTakenAtUs());
        unconfirmed.add(report.build());
        last = reading(now).toBuilder()
                .setLastSequence(report.getSequence())
                .clearUnconfirmed()
                .addAllUnconfirmed(unconfirmed)
                .build();
        MetricsState snapshot = last;
        saving = true;
        disk.execute(() -> {
            boolean saved = save(snapshot);
            agent.accept(() -> {
                saving = false;
                if (saved) {
                    savedSequence = snapshot.getLastSequence();
                    sendNext();
                }
            });
        });
    }

    private boolean save(MetricsState state) {
        try {
            file.save(state);
            return true;
        } catch (IOException e) {
            log.atError().setCause(e).log("counters can't be stored, they are reported later");
            return false;
        }
    }

    private void sendNext() {
        MetricsReport next = unconfirmed.peek();
        // Only what is on the disk may leave.
        if (next == null || sending || next.getSequence() > savedSequence) {
            return;
        }
        sending = true;
        reports.metrics(
                next,
                confirmed -> agent.accept(() -> {
                    sending = false;
                    if (confirmed && unconfirmed.peek() == next) {
                        unconfirmed.remove();
                        sendNext();
                    }
                }));
    }

    private MetricsState reading(GetCountersReply now) {
        MetricsState.Builder state = last.toBuilder()
                .setCountersId(now.getCountersId())
                .setTakenAtUs(now.getTakenAtUs())
                .clearCounters()
                .clearDrops();
        now.getCountersList().forEach(counters -> state.addCounters(CounterDeltas.reading(counters)));
        drops = byReason(now);
        now.getDropsList()
                .forEach(drop -> state.addDrops(DropDelta.newBuilder()
                        .setLoadBalancerId(drop.getLoadBalancerId())
                        .setReason(drop.getReason())
                        .setPackets(drop.getPackets())));
        return state.build();
    }

    private static Map<String, Long> byReason(GetCountersReply now) {
        Map<String, Long> packets = new TreeMap<>();
        now.getDropsList().forEach(drop -> packets.merge(drop.getReason(), drop.getPackets(), Long::sum));
        return Map.copyOf(packets);
    }

    private static String project(String loadBalancerId, @Nullable ActualState actual) {
        Applied applied = actual == null ? null : actual.applied().get(loadBalancerId);
        return applied == null || applied.running() == null
                ? ""
                : applied.running().getProjectId();
    }
}
