// SPDX-License-Identifier: Apache-2.0
package dev.weir.compiler;

import java.net.InetAddress;
import java.util.UUID;

/** @param claimSequence of several load balancers that claim a VIP on a node, the highest claim serves it */
public record AttachedVip(UUID id, InetAddress address, long claimSequence) {}
