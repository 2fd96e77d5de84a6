// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.stack;

import java.io.PrintStream;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.Locale;
import java.util.Set;

/** Prints a line for each finished step; on a terminal also what still runs, in a line that is overwritten. */
final class ConsoleProgress implements Progress {
    private static final String CLEAR_LINE = "\r\033[K";

    private final PrintStream out;
    private final boolean terminal;
    private final Set<String> running = new LinkedHashSet<>();

    ConsoleProgress(PrintStream out, boolean terminal) {
        this.out = out;
        this.terminal = terminal;
    }

    @Override
    public synchronized void began(String step) {
        running.add(step);
        showRunning();
    }

    @Override
    public synchronized void done(String step, Duration took) {
        running.remove(step);
        line(String.format(Locale.ROOT, "  %-14s %6.1f s", step, took.toMillis() / 1000.0));
        showRunning();
    }

    @Override
    public synchronized void note(String text) {
        line(text);
    }

    private void line(String text) {
        out.println((terminal ? CLEAR_LINE : "") + text);
    }

    private void showRunning() {
        if (terminal) {
            String text = running.isEmpty() ? "" : "  … " + String.join(", ", running);
            out.print(CLEAR_LINE + text.substring(0, Math.min(text.length(), 78)));
            out.flush();
        }
    }
}
