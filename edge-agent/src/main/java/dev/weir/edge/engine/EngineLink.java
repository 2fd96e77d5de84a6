// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.engine;

import dev.weir.messages.v1.DrainEnded;
import dev.weir.messages.v1.ProbeResult;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Keeps one connection to the engine: connects, waits until it breaks, connects again. */
public final class EngineLink implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(EngineLink.class);

    // An engine restarts in about half a second; its socket is local, so asking often costs nothing.
    private static final Duration RETRY = Duration.ofMillis(50);

    /** Told in order, on the link's thread; what the engine says unasked on the connection's. */
    public interface Listener {
        void onConnected(Engine engine);

        void onDisconnected(Engine engine);

        void onProbeResult(ProbeResult result);

        void onDrainEnded(DrainEnded ended);
    }

    private final Path socket;
    private final Duration timeout;
    private final Listener listener;
    private final Thread thread;
    private volatile boolean closing;

    public EngineLink(Path socket, Duration timeout, Listener listener) {
        this.socket = socket;
        this.timeout = timeout;
        this.listener = listener;
        this.thread = Thread.ofPlatform().daemon().name("engine-link").unstarted(this::run);
    }

    public void start() {
        thread.start();
    }

    @Override
    public void close() {
        closing = true;
        thread.interrupt();
    }

    private void run() {
        String lastFailure = "";
        while (!closing) {
            try {
                CountDownLatch gone = new CountDownLatch(1);
                try (Engine engine = SocketEngine.connect(socket, timeout, events(gone))) {
                    log.atInfo()
                            .addKeyValue(
                                    "engine_start_id",
                                    Long.toUnsignedString(engine.hello().getEngineStartId()))
                            .addKeyValue("version", engine.hello().getVersion())
                            .log("engine connected");
                    lastFailure = "";
                    listener.onConnected(engine);
                    try {
                        gone.await();
                    } finally {
                        listener.onDisconnected(engine);
                    }
                } catch (EngineException e) {
                    if (!lastFailure.equals(e.getMessage())) {
                        lastFailure = String.valueOf(e.getMessage());
                        log.atWarn().addKeyValue("reason", lastFailure).log("engine is away, trying on");
                    }
                }
                Thread.sleep(RETRY);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
    }

    private EngineEvents events(CountDownLatch gone) {
        return new EngineEvents() {
            @Override
            public void onProbeResult(ProbeResult result) {
                listener.onProbeResult(result);
            }

            @Override
            public void onDrainEnded(DrainEnded ended) {
                listener.onDrainEnded(ended);
            }

            @Override
            public void onDisconnected(String reason) {
                log.atInfo().addKeyValue("reason", reason).log("engine disconnected");
                gone.countDown();
            }
        };
    }
}
