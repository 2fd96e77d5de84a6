// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.announce;

import dev.weir.messages.v1.NodeConfig;
import java.util.SortedSet;

/**
 * What this node offers to its BGP peers while the guard's gate is open.
 *
 * @param node peers, next hop and SNAT ranges
 * @param vips addresses announced as host routes
 */
public record Announcements(NodeConfig node, SortedSet<Address> vips) {}
