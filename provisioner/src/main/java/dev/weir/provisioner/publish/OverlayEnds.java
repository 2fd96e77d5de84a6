// SPDX-License-Identifier: Apache-2.0
package dev.weir.provisioner.publish;

import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;
import org.springframework.dao.DataAccessException;
import org.springframework.stereotype.Component;
import org.springframework.transaction.TransactionException;

/** Clears away drains and shifts that are over. Each instance does; a row goes once. */
@Component
final class OverlayEnds implements SmartLifecycle {
    private static final Logger log = LoggerFactory.getLogger(OverlayEnds.class);
    private static final Duration EACH = Duration.ofSeconds(1);

    private final SpecStore specs;
    private @Nullable Thread thread;

    OverlayEnds(SpecStore specs) {
        this.specs = specs;
    }

    @Override
    public void start() {
        thread = Thread.ofVirtual().name("overlay-ends").start(this::run);
    }

    private void run() {
        try {
            while (true) {
                try {
                    specs.endOverlayEntries();
                } catch (DataAccessException | TransactionException e) {
                    log.atDebug().addKeyValue("cause", e.getMessage()).log("cannot clear away what is over");
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
