// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.servers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Runs programs that refuse to run as root.
 *
 * <p>In a fresh user namespace root sees itself as an unmapped, ordinary user while it keeps its access to its own files. Where user
 * namespaces are forbidden, the program runs as {@code nobody} and its files are given to that user.
 */
final class Unprivileged {
    private static final int NOBODY = 65534;

    private Unprivileged() {}

    /** What to write before the command; empty when we aren't root. Each prefix replaces itself by the program. */
    static List<String> prefix() throws IOException, InterruptedException {
        if (!isRoot()) {
            return List.of();
        }
        if (canUnshare()) {
            return List.of("unshare", "-U", "--");
        }
        return List.of("setpriv", "--reuid=" + NOBODY, "--regid=" + NOBODY, "--clear-groups", "--");
    }

    /** Lets the program that {@link #prefix} starts write to a file or directory. */
    static void own(Path path) throws IOException, InterruptedException {
        if (isRoot() && !canUnshare()) {
            Files.setAttribute(path, "unix:uid", NOBODY);
            Files.setAttribute(path, "unix:gid", NOBODY);
        }
    }

    private static boolean isRoot() {
        return "root".equals(System.getProperty("user.name"));
    }

    private static boolean canUnshare() throws IOException, InterruptedException {
        Process process = new ProcessBuilder("unshare", "-U", "true")
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        return process.waitFor(5, TimeUnit.SECONDS) && process.exitValue() == 0;
    }
}
