// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.stack;

import dev.weir.testbed.process.ManagedProcess;
import dev.weir.testbed.process.PidFile;
import dev.weir.testbed.process.ProcessSpec;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** Speaks to a stack's supervisor. */
final class SupervisorClient {
    private static final Duration LONGEST_START = Duration.ofSeconds(20);

    private final Settings settings;

    SupervisorClient(Settings settings) {
        this.settings = settings;
    }

    /** Whether a supervisor runs. */
    boolean alive() throws IOException {
        return new PidFile(pidFile()).living().isPresent();
    }

    /** Starts a supervisor in a session of its own, so that neither Ctrl-C nor a closed terminal reaches it. */
    void launch() throws IOException, InterruptedException {
        ManagedProcess process = new ManagedProcess(new ProcessSpec(
                "supervisor",
                List.of(
                        "setsid",
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx96m",
                        "-XX:+UseSerialGC",
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Supervisor.class.getName(),
                        settings.source().toString(),
                        settings.state().toString()),
                Map.of(Settings.MARK, settings.instance()),
                Path.of("").toAbsolutePath(),
                settings.logs().resolve("supervisor.log").toAbsolutePath(),
                pidFile(),
                false));
        process.start();
        long deadline = System.nanoTime() + LONGEST_START.toNanos();
        while (!listens()) {
            if (!process.alive() || System.nanoTime() > deadline) {
                throw new IOException(
                        "the supervisor did not start; see " + process.spec().log());
            }
            Thread.sleep(20);
        }
    }

    /**
     * Runs a command.
     *
     * @throws IOException with the supervisor's own words when the command failed
     */
    void command(String command, Progress progress) throws IOException {
        try (SocketChannel connection = SocketChannel.open(UnixDomainSocketAddress.of(settings.socket()))) {
            connection.write(ByteBuffer.wrap((command + "\n").getBytes(StandardCharsets.UTF_8)));
            BufferedReader lines = new BufferedReader(
                    new InputStreamReader(Channels.newInputStream(connection), StandardCharsets.UTF_8));
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                String[] words = line.split(" ", 2);
                String rest = words.length > 1 ? words[1] : "";
                switch (words[0]) {
                    case "ok" -> {
                        return;
                    }
                    case "error" -> throw new IOException(rest.replace("\\n", "\n"));
                    case "began" -> progress.began(rest);
                    case "done" -> {
                        String[] done = rest.split(" ", 2);
                        progress.done(done[1], Duration.ofMillis(Long.parseLong(done[0])));
                    }
                    default -> progress.note(rest);
                }
            }
            throw new IOException(
                    "the supervisor went away; see " + settings.logs().resolve("supervisor.log"));
        }
    }

    private Path pidFile() {
        return settings.run().resolve("supervisor.pid").toAbsolutePath();
    }

    private boolean listens() {
        try (SocketChannel _ = SocketChannel.open(UnixDomainSocketAddress.of(settings.socket()))) {
            return true;
        } catch (IOException _) {
            return false;
        }
    }
}
