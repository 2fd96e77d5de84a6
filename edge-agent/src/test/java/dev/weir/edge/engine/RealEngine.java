// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.messages.v1.ProbeResult;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** The built engine as a process of its own, on a port that swallows every packet. */
public final class RealEngine implements AutoCloseable {
    private static final Duration LONGEST_START = Duration.ofSeconds(10);

    private final Path directory;
    private final Process process;

    private RealEngine(Path directory, Process process) {
        this.directory = directory;
        this.process = process;
    }

    /** @param directory of its own, for its socket and files */
    public static RealEngine start(Path directory) throws IOException, InterruptedException {
        Path program = Path.of(System.getProperty("weir.clone"), "dataplane-dpdk", "build", "weir-engine");
        assertThat(program).as("the engine's program; build it with ninja").isExecutable();
        Path log = directory.resolve("engine.log");
        Process process = new ProcessBuilder(command(program, directory))
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
                .start();
        RealEngine engine = new RealEngine(directory, process);
        long deadline = System.nanoTime() + LONGEST_START.toNanos();
        while (!engine.ready()) {
            if (!process.isAlive() || System.nanoTime() > deadline) {
                engine.close();
                throw new AssertionError("the engine does not serve its socket:\n" + Files.readString(log));
            }
            Thread.sleep(10);
        }
        return engine;
    }

    private static List<String> command(Path program, Path directory) throws IOException {
        return List.of(
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
                directory.resolve("engine.sock").toString(),
                "--state-dir",
                Files.createDirectories(directory.resolve("state")).toString(),
                "--heartbeat",
                directory.resolve("heartbeat").toString(),
                "--shm-dir",
                Files.createDirectories(directory.resolve("shm")).toString(),
                "--flow-entries",
                "1024");
    }

    private boolean ready() {
        EngineEvents nobody = new EngineEvents() {
            @Override
            public void onProbeResult(ProbeResult result) {}

            @Override
            public void onDrainEnded(dev.weir.messages.v1.DrainEnded ended) {}

            @Override
            public void onDisconnected(String reason) {}
        };
        try (Engine started = SocketEngine.connect(socket(), EngineContract.TIMEOUT, nobody)) {
            return started.getStatus().getReady();
        } catch (EngineException e) {
            // Not yet.
            return false;
        }
    }

    public Path socket() {
        return directory.resolve("engine.sock");
    }

    void kill() {
        process.destroyForcibly();
    }

    @Override
    public void close() throws InterruptedException {
        process.destroyForcibly().waitFor(5, TimeUnit.SECONDS);
    }
}
