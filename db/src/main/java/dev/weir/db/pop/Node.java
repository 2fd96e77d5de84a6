// SPDX-License-Identifier: Apache-2.0
package dev.weir.db.pop;

import java.time.Instant;
import java.util.List;
import java.util.UUID;

/**
 * A server of a PoP.
 *
 * @param dataAddress the engine's own address on the data port's network
 * @param snatRanges CIDRs of this node alone
 */
public record Node(
        UUID id,
        UUID popId,
        String name,
        boolean drained,
        String dataAddress,
        int dataPrefixLength,
        List<Route> routes,
        List<String> snatRanges,
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
        bgpPeers = List.copyOf(bgpPeers);
    }
}
