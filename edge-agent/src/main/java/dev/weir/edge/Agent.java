// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge;

import com.google.protobuf.ByteString;
import dev.weir.edge.announce.Announcer;
import dev.weir.edge.engine.Engine;
import dev.weir.edge.engine.EngineException;
import dev.weir.edge.engine.EngineLink;
import dev.weir.edge.health.HealthChecks;
import dev.weir.edge.health.ProbeTarget;
import dev.weir.edge.health.Withdrawal;
import dev.weir.edge.metrics.MetricsCollector;
import dev.weir.edge.reconcile.ActualState;
import dev.weir.edge.reconcile.ActualState.Applied;
import dev.weir.edge.reconcile.ActualState.Rejection;
import dev.weir.edge.reconcile.DesiredState;
import dev.weir.edge.reconcile.Drain;
import dev.weir.edge.reconcile.EffectiveConfig;
import dev.weir.edge.reconcile.ReconcileLoop;
import dev.weir.edge.report.HealthReporter;
import dev.weir.edge.report.Progress;
import dev.weir.edge.report.Reports;
import dev.weir.edge.report.WatermarkReporter;
import dev.weir.edge.store.StateStore;
import dev.weir.edge.store.state.AgentState;
import dev.weir.edge.stream.Batch;
import dev.weir.edge.stream.DesiredFile;
import dev.weir.edge.stream.KeyState;
import dev.weir.edge.stream.ReadPosition;
import dev.weir.edge.stream.RecordBook;
import dev.weir.edge.stream.Sweep;
import dev.weir.messages.v1.DrainEnded;
import dev.weir.messages.v1.GetStateReply;
import dev.weir.messages.v1.GetStatusReply;
import dev.weir.messages.v1.LoadBalancerConfig;
import dev.weir.messages.v1.ProbeRequest;
import dev.weir.messages.v1.ProbeResult;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BiFunction;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One node's agent. A single thread owns all its state: what others learn (records, probe results, connections) is
 * posted to it, and each turn takes everything that came, brings engine and announcements to it, and then reports and
 * stores. So a record's way to the engine waits neither for a disk nor for the network.
 */
public final class Agent implements EngineLink.Listener {
    private static final Logger log = LoggerFactory.getLogger(Agent.class);
    private static final long MAX_WAIT_MS = 500;
    private static final long SECOND_MS = 1_000;
    private static final long COUNTERS_MS = 2_000;
    private static final long CONTACT_SAVE_US = TimeUnit.MINUTES.toMicros(1);

    private final AgentTime time;
    private final boolean standsAlone;
    private final Announcer announcer;
    private final ReconcileLoop reconcile;
    private final StateStore store;
    private final Executor disk;
    private final RecordBook book;
    private final HealthChecks checks;
    private final Progress progress = new Progress();
    private final Sweep sweep = new Sweep();
    private final WatermarkReporter watermarks;
    private final HealthReporter health;
    private final MetricsCollector metrics;
    private final SweepApproval approval;
    private final BlockingQueue<Runnable> events = new LinkedBlockingQueue<>();

    private ReadPosition position = ReadPosition.none();
    private @Nullable Engine engine;
    private @Nullable ActualState actual;
    private long lastEngineStartId;
    private Map<String, LoadBalancerConfig> runningCopies = new HashMap<>();
    private boolean adoptVerdicts;
    // A file that was not read yet must not look like one that names nothing.
    private boolean fileRead;
    private boolean dirty = true;
    private boolean unsaved;
    private boolean saving;
    private long savedContactUs;
    private long overlayEndUs = Long.MAX_VALUE;
    private long retryAtMs;
    private long nextSecondMs;
    private long nextCountersMs;
    private volatile boolean stopping;
    private GetStatusReply engineStatus = GetStatusReply.getDefaultInstance();
    private volatile AgentView view = AgentView.starting();

    /**
     * @param standsAlone the records come from a file, which is the whole truth
     * @param disk        runs one task at a time, away from the agent's thread
     */
    public Agent(
            AgentConfig config,
            boolean standsAlone,
            AgentTime time,
            RandomGenerator random,
            Announcer announcer,
            Reports reports,
            Executor disk) {
        this.time = time;
        this.standsAlone = standsAlone;
        this.announcer = announcer;
        this.store = new StateStore(config.stateDir(), config.nodeId());
        this.disk = disk;
        this.book = new RecordBook(config.nodeId(), config.popId());
        this.checks = new HealthChecks(time, random, config.healthLimits());
        this.reconcile = new ReconcileLoop(announcer, checks::sinceUs);
        this.watermarks = new WatermarkReporter(config.nodeId(), config.popId(), time, random, reports);
        this.health = new HealthReporter(config.nodeId(), config.popId(), time, reports);
        this.metrics = new MetricsCollector(config, time, reports, disk, this::post);
        this.approval = new SweepApproval(config.stateDir());
        restore();
    }

    private void restore() {
        Optional<AgentState> stored = store.load();
        stored.ifPresent(state -> {
            position = StateStore.restore(state, book);
            checks.restore(state.getVerdictsList());
            state.getRunningList().forEach(config -> runningCopies.put(config.getLoadBalancerId(), config));
            position.configNextOffsets().forEach(progress::read);
            book.keys().forEach(key -> {
                progress.epochSeen(key.partition(), key.version().epoch());
                if (key.record() != null) {
                    // Not known to run before the engine has been asked.
                    progress.unsettled(key.key(), key.partition(), key.offset());
                }
            });
        });
        log.atInfo()
                .addKeyValue("keys", book.keys().size())
                .addKeyValue("found", stored.isPresent())
                .log("stored state read");
    }

    /** Has the agent's thread run the event in its next turn. */
    public void post(Runnable event) {
        events.add(event);
    }

    /** Turns until {@link #stop}. */
    public void run() {
        while (!stopping) {
            try {
                Runnable event = events.poll(delayMs(), TimeUnit.MILLISECONDS);
                if (event != null) {
                    event.run();
                }
                turn();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            } catch (RuntimeException e) {
                // A full disk or a bug must not end the reconciliation of everything else.
                log.atError().setCause(e).log("turn failed, trying on");
                dirty = true;
                retryAtMs = time.monotonicMillis() + SECOND_MS;
            }
        }
    }

    public void stop() {
        stopping = true;
        post(() -> {});
    }

    /** Takes all events that came and does what is due. */
    void turn() {
        for (Runnable event = events.poll(); event != null; event = events.poll()) {
            event.run();
        }
        long nowMs = time.monotonicMillis();
        if (time.unixMicros() >= overlayEndUs) {
            dirty = true;
        }
        if (checks.releaseHeld()) {
            dirty = true;
            health.changed();
        }
        if (dirty && engine != null && nowMs >= retryAtMs) {
            converge();
        }
        // Before the watermark: who has read that is to find the same on the agent's own pages.
        view = AgentView.of(book, actual, engine != null, sweep.held(), checks, watermarks, metrics, engineStatus);
        watermarks.sendIfDue(progress, position, actual);
        sendProbes();
        if (nowMs >= nextSecondMs) {
            nextSecondMs = nowMs + SECOND_MS;
            everySecond();
        }
        if (nowMs >= nextCountersMs) {
            nextCountersMs = nowMs + COUNTERS_MS;
            collect();
        }
        reportHealth();
        save();
    }

    /** For the agent's own pages; as of the last turn. */
    public AgentView view() {
        return view;
    }

    private long delayMs() {
        long nowMs = time.monotonicMillis();
        long delay = Math.min(MAX_WAIT_MS, Math.min(nextSecondMs, nextCountersMs) - nowMs);
        if (engine != null) {
            delay = checks.delayMs(delay);
        }
        if (overlayEndUs != Long.MAX_VALUE) {
            delay = Math.min(delay, (overlayEndUs - time.unixMicros()) / 1_000 + 1);
        }
        return Math.max(0, Math.min(delay, Math.min(watermarks.delayMs(), engine == null ? delay : health.delayMs())));
    }

    // Events from elsewhere

    @Override
    public void onConnected(Engine connected) {
        post(() -> connected(connected));
    }

    @Override
    public void onDisconnected(Engine gone) {
        post(() -> disconnected(gone));
    }

    @Override
    public void onProbeResult(ProbeResult result) {
        post(() -> {
            if (checks.onResult(result)) {
                dirty = true;
                health.changed();
            }
        });
    }

    @Override
    public void onDrainEnded(DrainEnded ended) {
        post(() -> {
            if (progress.drained(ended.getLoadBalancerId(), ended.getDrainId())) {
                watermarks.changed();
            }
        });
    }

    /** The file's content, whole. */
    public void replaceAll(DesiredFile file) {
        book.replaceAll(file.config(), file.pops());
        fileRead = true;
        dirty = true;
        unsaved = true;
    }

    /** Says from where to read, on the agent's thread; empty: from the start. */
    public Optional<ReadPosition> resume(
            String configTopicId, String popsTopicId, Duration tombstoneRetention, boolean fromStart) {
        if (!fromStart && position.canResume(configTopicId, popsTopicId, time.unixMicros(), tombstoneRetention)) {
            return Optional.of(position);
        }
        log.atInfo()
                .addKeyValue("topic_id", configTopicId)
                .addKeyValue("before", position.configTopicId())
                .log("reading records from the start");
        book.restartReading();
        progress.restart();
        position = new ReadPosition(configTopicId, popsTopicId, Map.of(), 0, position.inContactAtUs());
        unsaved = true;
        return Optional.empty();
    }

    /** Takes what was read; on the agent's thread. */
    public void take(Batch batch) {
        for (Batch.PopsRead read : batch.pops()) {
            dirty |= book.offerPops(read.key(), read.record()) == RecordBook.Change.RELEVANT;
        }
        for (Batch.ConfigRead read : batch.config()) {
            RecordBook.Change change = book.offer(read.key(), read.partition(), read.offset(), read.record());
            if (read.record() != null) {
                progress.epochSeen(read.partition(), read.record().getEpoch());
            }
            if (change == RecordBook.Change.RELEVANT) {
                progress.unsettled(read.key(), read.partition(), read.offset());
                dirty = true;
            }
        }
        boolean moved = !batch.configNextOffsets().equals(position.configNextOffsets());
        batch.configNextOffsets().forEach(progress::read);
        position = position.advancedBy(batch, time.unixMicros());
        boolean recordsCame = !batch.config().isEmpty() || !batch.pops().isEmpty();
        if (moved) {
            watermarks.changed();
        }
        if (recordsCame) {
            dirty |= engine != null && runSweep();
        }
        unsaved |= recordsCame || position.inContactAtUs() - savedContactUs > CONTACT_SAVE_US;
    }

    private boolean runSweep() {
        return actual != null && sweep.run(book, actual.applied().keySet(), sweep.held() && approval.given());
    }

    // Engine

    private void connected(Engine now) {
        try {
            ActualState before = actual;
            GetStateReply reply = now.getState();
            ActualState state =
                    ActualState.of(reply, now.hello().getFeaturesList(), announcer.announcedVips(), copies(before));
            boolean sameEngine = now.hello().getEngineStartId() == lastEngineStartId;
            actual = sameEngine && before != null ? state.withRejections(before.rejections()) : state;
            lastEngineStartId = now.hello().getEngineStartId();
            engine = now;
            progress.forgetDrains();
            reply.getDrainingList()
                    .forEach(one ->
                            drains(one.getLoadBalancerId(), new Drain(one.getDrainId(), one.getDrainDeadlineUs())));
            metrics.engineConnected(now);
            watermarks.engineIs(now.hello());
            adoptVerdicts = true;
            dirty = true;
            retryAtMs = 0;
            nextSecondMs = 0;
            runSweep();
        } catch (EngineException e) {
            lost(now, e);
        }
    }

    /** Finds among what ran and what should run the configuration with the hash that the engine names. */
    private BiFunction<String, ByteString, @Nullable LoadBalancerConfig> copies(@Nullable ActualState before) {
        SortedMap<String, EffectiveConfig> wanted = book.effective(time.unixMicros());
        return (id, sha256) -> {
            Applied ran = before == null ? null : before.applied().get(id);
            if (ran != null && ran.configSha256().equals(sha256) && ran.running() != null) {
                return ran.running();
            }
            EffectiveConfig want = wanted.get(id);
            if (want != null && want.sha256().equals(sha256)) {
                return want.config();
            }
            LoadBalancerConfig stored = runningCopies.get(id);
            return stored != null
                            && EffectiveConfig.sha256(stored.toByteString()).equals(sha256)
                    ? stored
                    : null;
        };
    }

    private void disconnected(Engine gone) {
        if (engine == gone) {
            engine = null;
            engineStatus = GetStatusReply.getDefaultInstance();
            checks.onEngineLost();
            watermarks.engineIsAway();
        }
    }

    private void lost(Engine broken, EngineException e) {
        log.atWarn().addKeyValue("reason", e.getMessage()).log("engine call failed");
        if (e.kind() == EngineException.Kind.UNAVAILABLE) {
            broken.close();
            disconnected(broken);
        } else {
            retryAtMs = time.monotonicMillis() + SECOND_MS;
        }
    }

    private void converge() {
        Engine now = engine;
        ActualState before = actual;
        if (now == null || before == null) {
            return;
        }
        DesiredState desired = desired(before);
        ReconcileLoop.Outcome outcome = reconcile.converge(desired, before, now);
        actual = outcome.actual();
        outcome.drains().forEach(this::drains);
        overlayEndUs = book.nextOverlayEndUs();
        if (outcome.failure() != null) {
            lost(now, outcome.failure());
            return;
        }
        dirty = false;
        progress.settled(outcome.appliedAtUs());
        book.forgetGone(actual.applied().keySet());
        if (!before.applied().equals(actual.applied()) || !before.rejections().equals(actual.rejections())) {
            unsaved = true;
            health.changed();
        }
        watermarks.changed();
    }

    private void drains(String id, Drain drain) {
        KeyState key = book.key(id);
        if (key != null) {
            progress.drains(id, key.offset(), drain);
        }
    }

    private DesiredState desired(ActualState state) {
        long nowUs = time.unixMicros();
        List<ProbeTarget> targets = new ArrayList<>();
        book.effective(nowUs).forEach((id, config) -> {
            Rejection rejection = state.rejections().get(id);
            Applied applied = state.applied().get(id);
            boolean refused = rejection != null && rejection.configSha256().equals(config.sha256());
            LoadBalancerConfig old = applied == null ? null : applied.running();
            targets.addAll(ProbeTarget.of(refused && old != null ? old : config.config()));
        });
        checks.setTargets(targets);
        if (adoptVerdicts) {
            adoptVerdicts = false;
            state.applied().forEach((id, applied) -> checks.adoptUnhealthy(id, applied.unhealthyMembers()));
        }
        return book.desired(
                nowUs,
                config -> checks.unhealthy(config.config().getLoadBalancerId()),
                config -> Withdrawal.wanted(
                        config.config(), checks.unhealthy(config.config().getLoadBalancerId())),
                standsAlone && fileRead);
    }

    private void sendProbes() {
        Engine now = engine;
        if (now == null) {
            return;
        }
        try {
            for (ProbeRequest request : checks.due()) {
                now.probe(request);
            }
        } catch (EngineException e) {
            lost(now, e);
        }
    }

    // What time brings

    private void everySecond() {
        announcer.retry();
        if (sweep.held() && runSweep()) {
            dirty = true;
        }
        Engine now = engine;
        if (now != null) {
            try {
                engineStatus = now.getStatus();
                watermarks.engineReady(engineStatus.getReady());
            } catch (EngineException e) {
                lost(now, e);
            }
        }
        watermarks.changed();
    }

    private void collect() {
        Engine now = engine;
        if (now == null) {
            return;
        }
        try {
            metrics.collect(now, actual);
        } catch (EngineException e) {
            lost(now, e);
        }
    }

    private void reportHealth() {
        Engine now = engine;
        if (now == null || actual == null) {
            return;
        }
        try {
            health.reportIfDue(now, actual, checks);
        } catch (EngineException e) {
            lost(now, e);
        }
    }

    private void save() {
        if (!unsaved && !checks.takeUnsaved()) {
            return;
        }
        if (saving) {
            unsaved = true;
            return;
        }
        unsaved = false;
        saving = true;
        savedContactUs = position.inContactAtUs();
        runningCopies = runningCopies();
        AgentState snapshot =
                store.snapshot(book, position, checks.verdicts(), runningCopies.values(), time.unixMicros());
        disk.execute(() -> {
            try {
                store.save(snapshot);
            } catch (IOException e) {
                log.atError().setCause(e).log("the last good state can't be stored");
            }
            post(() -> saving = false);
        });
    }

    private Map<String, LoadBalancerConfig> runningCopies() {
        Map<String, LoadBalancerConfig> copies = new HashMap<>();
        if (actual == null) {
            copies.putAll(runningCopies);
            return copies;
        }
        for (String id : actual.rejections().keySet()) {
            Applied applied = actual.applied().get(id);
            if (applied != null && applied.running() != null) {
                copies.put(id, applied.running());
            }
        }
        return copies;
    }
}
