// SPDX-License-Identifier: Apache-2.0
/** What runs on a node: engine, guard with BIRD, agent, each under supervision in the node's namespace. */
@NullMarked
package dev.weir.testbed.node;

import org.jspecify.annotations.NullMarked;
