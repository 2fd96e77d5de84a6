// SPDX-License-Identifier: Apache-2.0
package dev.weir.provisioner.rollout;

import dev.weir.compiler.ResourceId;
import dev.weir.provisioner.ProvisionerProperties;
import dev.weir.provisioner.rollout.StagedRollout.State;
import dev.weir.provisioner.rollout.WaveGates.Judgement;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;
import org.springframework.dao.DataAccessException;
import org.springframework.stereotype.Component;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * Looks at each staged rollout once a second and takes it further, or takes it back. Every instance does: the row's lock
 * says whose turn it is, and all that is known is in the rows, so that any instance goes on where another ended.
 */
@Component
final class WaveEngine implements SmartLifecycle {
    private static final Logger log = LoggerFactory.getLogger(WaveEngine.class);
    private static final Duration EACH = Duration.ofSeconds(1);

    private final StagedRollouts rollouts;
    private final WaveSignalStore signals;
    private final WaveGates gates;
    private final TransactionTemplate transactions;
    private @Nullable Thread thread;

    WaveEngine(
            StagedRollouts rollouts,
            WaveSignalStore signals,
            TransactionTemplate transactions,
            ProvisionerProperties properties) {
        this.rollouts = rollouts;
        this.signals = signals;
        this.transactions = transactions;
        this.gates =
                new WaveGates(properties.rollout().bake(), properties.rollout().applyWithin());
    }

    @Override
    public void start() {
        thread = Thread.ofVirtual().name("wave-engine").start(this::run);
    }

    private void run() {
        try {
            while (true) {
                try {
                    for (UUID id : rollouts.running()) {
                        transactions.executeWithoutResult(
                                status -> rollouts.lockRunning(id).ifPresent(this::look));
                    }
                } catch (DataAccessException e) {
                    log.atDebug().addKeyValue("cause", e.getMessage()).log("staged rollouts cannot be looked at");
                }
                Thread.sleep(EACH);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void look(StagedRollout rollout) {
        WaveSignals seen = signals.read(rollout).orElse(null);
        if (seen == null) {
            return;
        }
        if (seen.baked() == null && seen.reachable() > 0 && seen.applied() == seen.reachable()) {
            rollouts.applied(rollout.loadBalancerId());
        }
        Judgement judgement = gates.judge(seen);
        switch (judgement.verdict()) {
            case WAIT -> {}
            case PASS -> pass(rollout);
            case STOP -> settle(rollout, State.STOPPED, judgement.reason());
            case REVERT -> settle(rollout, State.REVERTED, judgement.reason());
        }
    }

    private void pass(StagedRollout rollout) {
        List<UUID> next = rollout.nextPopIds();
        if (next.size() == rollout.candidatePopIds().size()) {
            settle(rollout, State.PROMOTED, "");
        } else {
            rollouts.advance(rollout, next);
        }
    }

    private void settle(StagedRollout rollout, State state, String reason) {
        rollouts.settle(rollout, state, reason);
        log.atInfo()
                .addKeyValue("load_balancer", ResourceId.LOAD_BALANCER.format(rollout.loadBalancerId()))
                .addKeyValue("generation", rollout.candidateGeneration())
                .addKeyValue("state", state.text())
                .addKeyValue("reason", reason)
                .log("staged rollout is settled");
    }

    @Override
    public void stop() {
        Thread current = thread;
        thread = null;
        if (current != null) {
            current.interrupt();
        }
    }

    @Override
    public boolean isRunning() {
        return thread != null;
    }
}
