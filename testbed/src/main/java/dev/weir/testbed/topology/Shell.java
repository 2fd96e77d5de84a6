// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.topology;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

/** Runs short commands to their end. */
public final class Shell {
    private Shell() {}

    /**
     * What a command left behind.
     *
     * @param status its exit status
     * @param output standard output and standard error
     */
    public record Result(int status, String output) {
        public boolean ok() {
            return status == 0;
        }
    }

    /**
     * Runs a command with {@code input} as its standard input.
     *
     * @throws IOException if it cannot be started or does not end in time; it is killed then
     */
    public static Result run(List<String> command, String input, Duration timeout)
            throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        AtomicBoolean late = new AtomicBoolean();
        Thread writer = Thread.ofVirtual().start(() -> write(process, input));
        Thread killer = Thread.ofVirtual().start(() -> killAfter(process, timeout, late));
        try {
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            int status = process.waitFor();
            writer.join();
            if (late.get()) {
                throw new IOException(command.getFirst() + " did not end within " + timeout.toSeconds() + " s");
            }
            return new Result(status, output);
        } finally {
            killer.interrupt();
            process.destroyForcibly();
        }
    }

    public static Result run(List<String> command) throws IOException, InterruptedException {
        return run(command, "", Duration.ofSeconds(30));
    }

    /** Runs a bash script; a failing command ends it. */
    static void script(String what, String text) throws IOException, InterruptedException {
        Result result = run(List.of("bash", "-eu", "-o", "pipefail", "-s"), text, Duration.ofSeconds(60));
        if (!result.ok()) {
            throw new IOException(what + " failed: " + result.output().strip());
        }
    }

    private static void write(Process process, String input) {
        try (OutputStream stdin = process.getOutputStream()) {
            stdin.write(input.getBytes(StandardCharsets.UTF_8));
        } catch (IOException _) {
            // It left without reading all of it; its exit status tells why.
        }
    }

    private static void killAfter(Process process, Duration timeout, AtomicBoolean late) {
        try {
            Thread.sleep(timeout);
            late.set(true);
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }
}
