// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.process;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * What to run and where its traces lie.
 *
 * @param name        for messages and thread names
 * @param command     program and arguments; a wrapper such as {@code ip netns exec} must replace itself by the program
 * @param environment added to the launcher's own
 * @param directory   working directory; made when missing
 * @param log         standard output and error are appended here
 * @param pidFile     holds process id and start time, so that the process is found after its launcher died
 * @param restart     whether a process that ends unasked is started again at once
 */
public record ProcessSpec(
        String name,
        List<String> command,
        Map<String, String> environment,
        Path directory,
        Path log,
        Path pidFile,
        boolean restart) {
    public ProcessSpec {
        command = List.copyOf(command);
        environment = Map.copyOf(environment);
    }
}
