// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.node;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Where one node's files lie. Its programs run in {@link #directory()} and get relative paths, because a Unix socket's
 * path may have 107 bytes and a clone may lie deep.
 *
 * @param directory  absolute
 * @param shm        the engine's flow table, counters and heartbeat; on tmpfs, survives the engine but not a reboot
 */
record NodeFiles(Path directory, Path shm) {
    static final String ENGINE_SOCKET = "run/engine.sock";
    static final String GUARD_SOCKET = "run/guard.sock";
    static final String ENGINE_STATE = "engine";
    static final String AGENT_STATE = "agent";
    static final String BIRD = "bird";
    static final String AGENT_PROPERTIES = "agent.properties";

    Path heartbeat() {
        return shm.resolve("heartbeat");
    }

    Path agentProperties() {
        return directory.resolve(AGENT_PROPERTIES);
    }

    void makeDirectories() throws IOException {
        Files.createDirectories(shm);
        Files.createDirectories(directory.resolve("run"));
        Files.createDirectories(directory.resolve(ENGINE_STATE));
        Files.createDirectories(directory.resolve(AGENT_STATE));
        Files.createDirectories(directory.resolve(BIRD));
    }
}
