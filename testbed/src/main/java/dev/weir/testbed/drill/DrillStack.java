// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.drill;

import dev.weir.testbed.scenario.Faults;
import dev.weir.testbed.scenario.ProjectAccess;
import dev.weir.testbed.topology.Topology;
import java.nio.file.Path;

/**
 * The running stack that drills are run on.
 *
 * @param access    a project's service account
 * @param faults    kills and starts parts
 * @param kafkaData where the broker keeps its records
 * @param directory where a drill may put the clients' program
 */
public record DrillStack(ProjectAccess access, Topology topology, Faults faults, Path kafkaData, Path directory) {}
