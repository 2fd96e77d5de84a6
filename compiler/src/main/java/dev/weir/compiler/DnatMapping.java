// SPDX-License-Identifier: Apache-2.0
package dev.weir.compiler;

import dev.weir.compiler.LoadBalancerTree.ForwardingModeKind;
import dev.weir.compiler.LoadBalancerTree.ListenerSpec;
import dev.weir.compiler.LoadBalancerTree.MemberSpec;
import dev.weir.compiler.LoadBalancerTree.PoolSpec;
import dev.weir.compiler.LoadBalancerTree.PortRangeSpec;
import dev.weir.compiler.LoadBalancerTree.TransportProtocol;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/**
 * Where the replies of a dnat member come from and what they become. A reply may reach a node that has no entry for its
 * flow; it is then translated by this mapping alone, so within a PoP each (protocol, member address, member port) must
 * lead back to one (VIP, port).
 *
 * @param firstMemberPort port of the member that answers for {@code firstVipPort}
 * @param ports number of consecutive ports that are mapped, each to the next; 1 where several VIP ports share a member's
 * @param popIds PoPs in which the mapping holds
 */
public record DnatMapping(
        UUID loadBalancerId,
        TransportProtocol protocol,
        InetAddress memberAddress,
        int firstMemberPort,
        int ports,
        InetAddress vipAddress,
        int firstVipPort,
        Set<UUID> popIds) {

    public DnatMapping {
        popIds = Set.copyOf(popIds);
    }

    /** A mapping with the member that it comes from, by index, so that faults can point at it. */
    record Origin(DnatMapping mapping, int pool, int member) {}

    /** All mappings of a load balancer. Whatever is faulty in the tree is passed over. */
    public static List<DnatMapping> of(LoadBalancerTree tree, List<AttachedVip> vips, List<PopSite> pops) {
        return origins(tree, vips, Placement.popIds(tree.placement(), pops)).stream()
                .map(Origin::mapping)
                .toList();
    }

    static List<Origin> origins(LoadBalancerTree tree, List<AttachedVip> vips, Set<UUID> placed) {
        List<Origin> origins = new ArrayList<>();
        for (ListenerSpec listener : tree.listeners()) {
            for (int p = 0; p < tree.pools().size(); p++) {
                PoolSpec pool = tree.pools().get(p);
                if (pool.id().equals(listener.poolId()) && pool.forwardingMode() == ForwardingModeKind.DNAT) {
                    addPool(origins, tree.loadBalancerId(), listener, pool, p, vips, placed);
                }
            }
        }
        return origins;
    }

    private static void addPool(
            List<Origin> origins,
            UUID loadBalancerId,
            ListenerSpec listener,
            PoolSpec pool,
            int poolIndex,
            List<AttachedVip> vips,
            Set<UUID> placed) {
        for (int m = 0; m < pool.members().size(); m++) {
            MemberSpec member = pool.members().get(m);
            Optional<InetAddress> address = IpLiteral.address(member.address());
            Set<UUID> popIds = new HashSet<>(placed);
            if (!member.popIds().isEmpty()) {
                popIds.retainAll(member.popIds());
            }
            if (address.isEmpty() || popIds.isEmpty()) {
                continue;
            }
            for (AttachedVip vip : vips) {
                if (vip.address().getClass() != address.get().getClass()) {
                    continue;
                }
                for (PortRangeSpec range : listener.portRanges()) {
                    int ports = range.last() - range.first() + 1;
                    switch (member.port().kind()) {
                        case KEEP ->
                            origins.add(new Origin(
                                    new DnatMapping(
                                            loadBalancerId,
                                            listener.protocol(),
                                            address.get(),
                                            range.first(),
                                            ports,
                                            vip.address(),
                                            range.first(),
                                            popIds),
                                    poolIndex,
                                    m));
                        case OFFSET ->
                            origins.add(new Origin(
                                    new DnatMapping(
                                            loadBalancerId,
                                            listener.protocol(),
                                            address.get(),
                                            range.first() + member.port().value(),
                                            ports,
                                            vip.address(),
                                            range.first(),
                                            popIds),
                                    poolIndex,
                                    m));
                        case FIXED -> {
                            // A range onto one port is ambiguous in itself: its first two ports show that.
                            for (int i = 0; i < Math.min(ports, 2); i++) {
                                origins.add(new Origin(
                                        new DnatMapping(
                                                loadBalancerId,
                                                listener.protocol(),
                                                address.get(),
                                                member.port().value(),
                                                1,
                                                vip.address(),
                                                range.first() + i,
                                                popIds),
                                        poolIndex,
                                        m));
                            }
                        }
                    }
                }
            }
        }
    }

    /** Whether some reply would fit both mappings and mean different VIPs or ports. */
    public boolean conflictsWith(DnatMapping other) {
        boolean sharesPorts = firstMemberPort < other.firstMemberPort + other.ports
                && other.firstMemberPort < firstMemberPort + ports;
        boolean sameMeaning = vipAddress.equals(other.vipAddress)
                && firstVipPort - firstMemberPort == other.firstVipPort - other.firstMemberPort;
        return protocol == other.protocol
                && memberAddress.equals(other.memberAddress)
                && sharesPorts
                && !sameMeaning
                && popIds.stream().anyMatch(other.popIds::contains);
    }
}
