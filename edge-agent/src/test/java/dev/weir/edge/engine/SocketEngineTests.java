// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SocketEngineTests extends EngineContract {
    @TempDir
    Path directory;

    private FakeEngine fake;

    @BeforeEach
    void listen() throws IOException {
        fake = FakeEngine.listen(socket(), new EngineModel());
    }

    @AfterEach
    void close() throws IOException {
        fake.close();
    }

    @Override
    Path socket() {
        return directory.resolve("engine.sock");
    }

    @Test
    void missingEngineIsUnavailable() throws Exception {
        fake.close();

        assertThatThrownBy(this::connect)
                .isInstanceOfSatisfying(
                        EngineException.class, e -> assertThat(e.kind()).isEqualTo(EngineException.Kind.UNAVAILABLE));
    }

    @Test
    void callEndsAndTheConnectionWithItWhenTheEngineHangs() throws Exception {
        try (Engine engine = SocketEngine.connect(socket(), Duration.ofMillis(300), new EngineEvents() {
            @Override
            public void onProbeResult(dev.weir.messages.v1.ProbeResult result) {}

            @Override
            public void onDrainEnded(dev.weir.messages.v1.DrainEnded ended) {}

            @Override
            public void onDisconnected(String reason) {
                disconnected.complete(reason);
            }
        })) {
            fake.stuck = true;

            assertThatThrownBy(engine::getState).hasMessageContaining("no reply");
            assertThat(disconnected.get(5, TimeUnit.SECONDS)).contains("no reply");
            assertThatThrownBy(engine::getState).hasMessageContaining("closed");
        }
    }

    @Test
    void callEndsAtOnceWhenTheEngineDies() throws Exception {
        try (Engine engine = connect()) {
            fake.close();

            assertThat(disconnected.get(5, TimeUnit.SECONDS)).isNotEmpty();
            assertThatThrownBy(engine::getState).isInstanceOf(EngineException.class);
        }
    }
}
