// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.servers;

import java.nio.file.Path;
import java.util.Map;

/**
 * Where a server keeps what it leaves on the disk.
 *
 * @param data        its data, kept from one start to the next
 * @param log         its log file
 * @param pidFile     its pid file
 * @param environment added to the environment of each of its processes
 */
public record Place(Path data, Path log, Path pidFile, Map<String, String> environment) {
    public Place {
        data = data.toAbsolutePath();
        log = log.toAbsolutePath();
        pidFile = pidFile.toAbsolutePath();
        environment = Map.copyOf(environment);
    }

    /** Everything of one server below one directory. */
    public static Place below(Path directory, String name, Map<String, String> environment) {
        return new Place(
                directory.resolve("data").resolve(name),
                directory.resolve("logs").resolve(name + ".log"),
                directory.resolve("run").resolve(name + ".pid"),
                environment);
    }
}
