// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/** The contract against the real engine, on a port that swallows every packet. */
@EnabledIfSystemProperty(
        named = "weir.clone",
        matches = ".+",
        disabledReason = "needs the built engine; ./weir test builds it and names the clone")
class SocketEngineClientIT extends EngineContract {
    @TempDir
    Path directory;

    private RealEngine engine;

    @BeforeEach
    void start() throws Exception {
        engine = RealEngine.start(directory);
    }

    @AfterEach
    void kill() throws InterruptedException {
        engine.close();
    }

    @Override
    Path socket() {
        return engine.socket();
    }

    @Test
    void killedEngineIsNoticed() throws Exception {
        try (Engine connected = controller()) {
            engine.kill();

            assertThat(disconnected.get(5, TimeUnit.SECONDS)).isNotEmpty();
        }
    }
}
