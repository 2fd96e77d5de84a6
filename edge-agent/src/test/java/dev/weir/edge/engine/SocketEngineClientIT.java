// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
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
    private static final Duration LONGEST_START = Duration.ofSeconds(10);

    @TempDir
    Path directory;

    private Process engine;

    @BeforeEach
    void start() throws Exception {
        Path program = Path.of(System.getProperty("weir.clone"), "dataplane-dpdk", "build", "weir-engine");
        assertThat(program).as("the engine's program; build it with ninja").isExecutable();
        engine = launch(program);
    }

    private Process launch(Path program) throws IOException, InterruptedException {
        List<String> command = List.of(
                program.toString(),
                "--no-huge",
                "-m",
                "64",
                "--no-telemetry",
                "--no-shconf",
                "--file-prefix",
                "weir-contract-" + ProcessHandle.current().pid(),
                "--no-pci",
                "--vdev",
                "net_null0",
                "--lcores",
                "0@(0-1),1@(0-1)",
                "--",
                "--socket",
                socket().toString(),
                "--state-dir",
                made("state"),
                "--heartbeat",
                directory.resolve("heartbeat").toString(),
                "--shm-dir",
                made("shm"),
                "--flow-entries",
                "1024");
        Path log = directory.resolve("engine.log");
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
                .start();
        long deadline = System.nanoTime() + LONGEST_START.toNanos();
        while (true) {
            try (Engine started = connect()) {
                if (started.getStatus().getReady()) {
                    return process;
                }
            } catch (EngineException e) {
                // Not yet.
            }
            if (!process.isAlive() || System.nanoTime() > deadline) {
                process.destroyForcibly().waitFor();
                throw new AssertionError("the engine does not serve its socket:\n" + Files.readString(log));
            }
            Thread.sleep(10);
        }
    }

    private String made(String name) throws IOException {
        return Files.createDirectories(directory.resolve(name)).toString();
    }

    @AfterEach
    void kill() throws InterruptedException {
        if (engine != null) {
            engine.destroyForcibly().waitFor(5, TimeUnit.SECONDS);
        }
    }

    @Override
    Path socket() {
        return directory.resolve("engine.sock");
    }

    @Test
    void killedEngineIsNoticed() throws Exception {
        try (Engine connected = controller()) {
            engine.destroyForcibly();

            assertThat(disconnected.get(5, TimeUnit.SECONDS)).isNotEmpty();
        }
    }
}
