// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.node;

import java.nio.file.Path;

/**
 * The built programs of a node.
 *
 * @param engine   {@code weir-engine}
 * @param guard    {@code weir-guard}
 * @param agentJar the agent with its libraries
 * @param java     the {@code java} that runs it
 */
public record NodePrograms(Path engine, Path guard, Path agentJar, Path java) {
    public NodePrograms {
        engine = engine.toAbsolutePath();
        guard = guard.toAbsolutePath();
        agentJar = agentJar.toAbsolutePath();
        java = java.toAbsolutePath();
    }

    /** Where a clone's build leaves them, run by this JVM's own {@code java}. */
    public static NodePrograms ofClone(Path clone) {
        Path build = clone.resolve("dataplane-dpdk/build");
        return new NodePrograms(
                build.resolve("weir-engine"),
                build.resolve("guard/weir-guard"),
                clone.resolve("edge-agent/target/edge-agent.jar"),
                Path.of(System.getProperty("java.home"), "bin", "java"));
    }
}
