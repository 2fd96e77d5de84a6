// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.topology;

import dev.weir.testbed.Part;
import dev.weir.testbed.process.ManagedProcess;
import dev.weir.testbed.process.ProcessSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** One program that runs in one place of the topology, and is started again at once when it ends unasked. */
public final class NamespacePart implements Part {
    /** Tells whether the program serves; answers within a second. */
    @FunctionalInterface
    public interface Readiness {
        boolean ready(long pid) throws IOException, InterruptedException;
    }

    /**
     * Ready once the program listens on a TCP port of its own namespace.
     *
     * @param port in the program's namespace
     */
    public static Readiness listensOn(int port) {
        String local = ":%04X ".formatted(port);
        // Field 4 is the state, 0A is LISTEN; the file shows the network namespace of the process.
        return pid -> {
            return listens(Path.of("/proc/" + pid + "/net/tcp"), local)
                    || listens(Path.of("/proc/" + pid + "/net/tcp6"), local);
        };
    }

    private static boolean listens(Path socketTable, String local) throws IOException {
        try (Stream<String> sockets = Files.lines(socketTable)) {
            return sockets.anyMatch(line -> line.contains(local) && line.contains(" 0A "));
        }
    }

    /** Runs before each first start and after each stop. */
    @FunctionalInterface
    public interface Step {
        void run() throws IOException, InterruptedException;
    }

    /**
     * What a part runs and when it counts as up.
     *
     * @param name      the part's name
     * @param place     where it runs
     * @param command   program and arguments
     * @param directory working directory
     * @param limit     how long {@link #start()} waits until it serves
     */
    public record Program(String name, String place, List<String> command, Path directory, Duration limit) {}

    private static final Duration GRACE = Duration.ofSeconds(3);

    private final Program program;
    private final ManagedProcess process;
    private final Readiness readiness;
    private final Step before;
    private final Step after;

    public NamespacePart(
            Topology topology, Layout layout, Program program, Readiness readiness, Step before, Step after) {
        this.program = program;
        this.readiness = readiness;
        this.before = before;
        this.after = after;
        this.process = new ManagedProcess(new ProcessSpec(
                program.name(),
                topology.in(program.place(), program.command()),
                layout.environment(),
                program.directory(),
                layout.logs().resolve(program.name() + ".log"),
                layout.run().resolve(program.name() + ".pid"),
                true));
    }

    @Override
    public String name() {
        return program.name();
    }

    @Override
    public Path logFile() {
        return process.spec().log();
    }

    @Override
    public void start() throws IOException, InterruptedException {
        if (!process.alive()) {
            before.run();
            process.start();
        }
        long deadline = System.nanoTime() + program.limit().toNanos();
        while (!up()) {
            if (System.nanoTime() > deadline) {
                throw new IOException(
                        name() + " is not up after " + program.limit().toSeconds() + " s, see " + logFile());
            }
            TimeUnit.MILLISECONDS.sleep(20);
        }
    }

    @Override
    public void stop() throws IOException, InterruptedException {
        process.stop(GRACE);
        after.run();
    }

    @Override
    public void kill() throws IOException, InterruptedException {
        process.kill();
    }

    @Override
    public void crash() throws IOException, InterruptedException {
        process.crash();
    }

    @Override
    public boolean up() {
        try {
            Optional<Long> pid = process.pid();
            return pid.isPresent() && readiness.ready(pid.get());
        } catch (IOException _) {
            return false;
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    /** The id of the living process. */
    public Optional<Long> pid() {
        return process.pid();
    }
}
