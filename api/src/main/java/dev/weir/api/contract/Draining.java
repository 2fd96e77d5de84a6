// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.contract;

import dev.weir.api.web.WebProperties;
import java.time.Duration;
import org.springframework.context.SmartLifecycle;
import org.springframework.stereotype.Component;

/**
 * Takes the service out of rotation before it stops: it is not ready any more, but serves on until whoever balances
 * calls over its instances has noticed.
 */
@Component
final class Draining implements SmartLifecycle {
    private final Duration drain;
    private volatile boolean running;

    Draining(WebProperties web) {
        this.drain = web.drain();
    }

    @Override
    public void start() {
        running = true;
    }

    @Override
    public void stop() {
        running = false;
        try {
            Thread.sleep(drain);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public boolean isRunning() {
        return running;
    }

    /** Last to start and first to stop, while the web server still serves. */
    @Override
    public int getPhase() {
        return Integer.MAX_VALUE;
    }
}
