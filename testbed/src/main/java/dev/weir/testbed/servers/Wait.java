// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.servers;

import dev.weir.testbed.process.ManagedProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Waits for a condition while watching the process that should bring it about. */
public final class Wait {
    private Wait() {}

    /** A condition that may fail to be asked, which counts as not met. */
    public interface Condition {
        boolean met() throws IOException, InterruptedException;
    }

    /**
     * Returns when the condition is met.
     *
     * @throws IOException with the log's last lines, when the process ended or the time is over
     */
    public static void untilReady(ManagedProcess process, Duration longest, Condition condition)
            throws IOException, InterruptedException {
        long deadline = System.nanoTime() + longest.toNanos();
        while (!condition.met()) {
            String name = process.spec().name();
            if (!process.alive() && !process.spec().restart()) {
                throw new IOException(
                        name + " ended while it started" + tail(process.spec().log()));
            }
            if (System.nanoTime() > deadline) {
                throw new IOException(name + " did not serve within " + longest.toSeconds() + " s"
                        + tail(process.spec().log()));
            }
            TimeUnit.MILLISECONDS.sleep(20);
        }
    }

    private static String tail(Path log) throws IOException {
        if (!Files.exists(log)) {
            return "";
        }
        List<String> lines = Files.readAllLines(log, java.nio.charset.StandardCharsets.ISO_8859_1);
        return "; see " + log + ", which ends with:\n  "
                + String.join("\n  ", lines.subList(Math.max(0, lines.size() - 8), lines.size()));
    }
}
