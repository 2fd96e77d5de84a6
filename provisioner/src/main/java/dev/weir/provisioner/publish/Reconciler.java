// SPDX-License-Identifier: Apache-2.0
package dev.weir.provisioner.publish;

import dev.weir.provisioner.outbox.OutboxKind;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;
import org.springframework.dao.DataAccessException;
import org.springframework.stereotype.Component;

/**
 * Looks now and then for what is behind although nothing is pending for it: an outbox row lost with a restore, a raised
 * config epoch, a load balancer that could not be compiled before.
 */
@Component
final class Reconciler implements SmartLifecycle {
    private static final Logger log = LoggerFactory.getLogger(Reconciler.class);
    private static final Duration EACH = Duration.ofSeconds(10);

    private final SpecStore specs;
    private final PrefixListStore prefixLists;
    private final ConfigPublishers configs;
    private final PopsPublishers pops;
    private @Nullable Thread thread;

    Reconciler(SpecStore specs, PrefixListStore prefixLists, ConfigPublishers configs, PopsPublishers pops) {
        this.specs = specs;
        this.prefixLists = prefixLists;
        this.configs = configs;
        this.pops = pops;
    }

    @Override
    public void start() {
        thread = Thread.ofVirtual().name("reconciler").start(this::run);
    }

    private void run() {
        try {
            while (true) {
                try {
                    specs.popsBehind().forEach(key -> pops.offer(OutboxKind.NODE, key, null));
                    prefixLists.behind().forEach(key -> configs.offer(OutboxKind.PREFIX_LIST, key, null));
                    specs.loadBalancersBehind().forEach(key -> configs.offer(OutboxKind.LOAD_BALANCER, key, null));
                } catch (DataAccessException e) {
                    log.atDebug().addKeyValue("cause", e.getMessage()).log("cannot look for what is behind");
                }
                Thread.sleep(EACH);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
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
