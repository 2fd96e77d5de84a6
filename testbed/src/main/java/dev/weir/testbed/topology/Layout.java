// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.topology;

import java.nio.file.Path;
import java.util.Map;

/**
 * Where the parts in namespaces leave their traces.
 *
 * @param data        one folder per router, node and kind of server
 * @param logs        one file per part
 * @param run         one pid file per part
 * @param environment added to each process's own, so that a launcher finds the processes of its testbed again
 */
public record Layout(Path data, Path logs, Path run, Map<String, String> environment) {
    public Layout {
        data = data.toAbsolutePath();
        logs = logs.toAbsolutePath();
        run = run.toAbsolutePath();
        environment = Map.copyOf(environment);
    }

    /** {@code nodes}, {@code logs} and {@code run} below one directory. */
    public static Layout below(Path directory, Map<String, String> environment) {
        return new Layout(directory.resolve("nodes"), directory.resolve("logs"), directory.resolve("run"), environment);
    }
}
