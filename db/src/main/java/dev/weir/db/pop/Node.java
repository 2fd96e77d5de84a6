// SPDX-License-Identifier: Apache-2.0
package dev.weir.db.pop;

import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A server of a PoP.
 *
 * @param dataAddress the engine's own address on the data port's network
 * @param dataAddressV6 as dataAddress, for IPv6; null: the data port has none
 * @param dataPrefixLengthV6 present exactly with dataAddressV6
 * @param snatRanges CIDRs of this node alone, of either family
 * @param tunnelSourcePrefixes outer sources of IPIP, routed to this node; none of a family: its data address
 */
public record Node(
        UUID id,
        UUID popId,
        String name,
        boolean drained,
        String dataAddress,
        int dataPrefixLength,
        @Nullable String dataAddressV6,
        @Nullable Integer dataPrefixLengthV6,
        List<Route> routes,
        List<String> snatRanges,
        List<String> tunnelSourcePrefixes,
        long bgpLocalAsn,
        String bgpRouterId,
        List<BgpPeer> bgpPeers,
        int mtu,
        long generation,
        Instant createdAt) {

    public record Route(String prefix, String nextHop) {}

    /** @param role {@code upstream} or {@code member_side} */
    public record BgpPeer(String name, String address, long asn, String role) {}

    public Node {
        routes = List.copyOf(routes);
        snatRanges = List.copyOf(snatRanges);
        tunnelSourcePrefixes = List.copyOf(tunnelSourcePrefixes);
        bgpPeers = List.copyOf(bgpPeers);
    }
}
