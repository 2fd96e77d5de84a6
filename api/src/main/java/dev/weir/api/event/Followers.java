// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.event;

import dev.weir.api.web.ProblemCode;
import dev.weir.api.web.ProblemException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.springframework.context.SmartLifecycle;
import org.springframework.stereotype.Component;

/** Counts streams, so that one credential cannot hold them all, and ends them when the service stops. */
@Component
final class Followers implements SmartLifecycle {
    static final int MAX_PER_CREDENTIAL = 5;

    private final ConcurrentMap<String, Integer> streams = new ConcurrentHashMap<>();
    private volatile boolean running;

    /** A stream that is open; closing it makes room. */
    interface Place extends AutoCloseable {
        @Override
        void close();
    }

    /** @throws ProblemException (429) if the credential has as many streams as it may */
    Place enter(String subject) {
        streams.compute(subject, (key, open) -> {
            int now = open == null ? 0 : open;
            if (now == MAX_PER_CREDENTIAL) {
                throw new ProblemException(
                        ProblemCode.RATE_LIMITED,
                        "This credential follows events %d times already.".formatted(MAX_PER_CREDENTIAL));
            }
            return now + 1;
        });
        return () -> streams.compute(subject, (key, open) -> open == null || open == 1 ? null : open - 1);
    }

    @Override
    public void start() {
        running = true;
    }

    @Override
    public void stop() {
        running = false;
    }

    @Override
    public boolean isRunning() {
        return running;
    }

    /** Streams end before the web server waits for running calls. */
    @Override
    public int getPhase() {
        return Integer.MAX_VALUE;
    }
}
