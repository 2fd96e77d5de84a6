// SPDX-License-Identifier: Apache-2.0
package dev.weir.compiler;

import dev.weir.compiler.LoadBalancerTree.AlgorithmKind;
import dev.weir.compiler.LoadBalancerTree.FlowTrackingKind;
import dev.weir.compiler.LoadBalancerTree.ForwardingModeKind;
import dev.weir.compiler.LoadBalancerTree.ListenerSpec;
import dev.weir.compiler.LoadBalancerTree.MemberPortKind;
import dev.weir.compiler.LoadBalancerTree.MemberPortSpec;
import dev.weir.compiler.LoadBalancerTree.MemberSpec;
import dev.weir.compiler.LoadBalancerTree.OnUnhealthyKind;
import dev.weir.compiler.LoadBalancerTree.PlacementKind;
import dev.weir.compiler.LoadBalancerTree.PlacementSpec;
import dev.weir.compiler.LoadBalancerTree.PoolSpec;
import dev.weir.compiler.LoadBalancerTree.PortRangeSpec;
import dev.weir.compiler.LoadBalancerTree.TransportProtocol;
import dev.weir.compiler.LoadBalancerTree.TunnelEncapsulationKind;
import dev.weir.compiler.LoadBalancerTree.WhenAllUnhealthyKind;
import java.net.InetAddress;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;

/** Small trees with readable ids, to be varied by the tests. */
final class Trees {
    static final UUID LOAD_BALANCER = id(1);
    static final UUID PROJECT = id(2);
    static final UUID TENANT = id(3);
    static final PopSite POP_1 = new PopSite(id(11), "pop1", Map.of("region", "north"), Set.of());
    static final PopSite POP_2 = new PopSite(id(12), "pop2", Map.of("region", "south"), Set.of());
    static final MemberPortSpec KEEP = new MemberPortSpec(MemberPortKind.KEEP, 0);
    static final PlacementSpec EVERYWHERE = new PlacementSpec(PlacementKind.ALL, List.of(), Map.of());
    static final Instant COMMITTED_AT = Instant.parse("2026-11-23T12:00:00.000123Z");

    private Trees() {}

    static UUID id(long number) {
        return new UUID(0x0190_0000_0000_7000L, 0x8000_0000_0000_0000L | number);
    }

    static AttachedVip vip(long number, String address) {
        return new AttachedVip(id(number), InetAddress.ofLiteral(address), number);
    }

    static MemberPortSpec fixed(int port) {
        return new MemberPortSpec(MemberPortKind.FIXED, port);
    }

    static MemberPortSpec offset(int offset) {
        return new MemberPortSpec(MemberPortKind.OFFSET, offset);
    }

    static MemberSpec member(long number, String address, MemberPortSpec port, PopSite... pops) {
        List<UUID> popIds = List.of(pops).stream().map(PopSite::id).toList();
        return new MemberSpec(id(number), "member-" + number, address, port, 100, true, 0, popIds);
    }

    static PoolSpec pool(long number, ForwardingModeKind mode, MemberSpec... members) {
        return new PoolSpec(
                id(number),
                "pool-" + number,
                AlgorithmKind.MAGLEV,
                mode,
                300,
                0,
                WhenAllUnhealthyKind.OPEN,
                OnUnhealthyKind.KEEP,
                0,
                false,
                false,
                null,
                List.of(members),
                mode == ForwardingModeKind.TUNNEL ? TunnelEncapsulationKind.IPIP : null,
                null);
    }

    static PoolSpec withProxyProtocol(PoolSpec p) {
        return new PoolSpec(
                p.id(),
                p.name(),
                p.algorithm(),
                p.forwardingMode(),
                p.drainTimeoutS(),
                p.slowStartS(),
                p.whenAllUnhealthy(),
                p.onUnhealthy(),
                p.minimumHealthy(),
                true,
                p.flowSync(),
                p.healthMonitor(),
                p.members(),
                p.tunnelEncapsulation(),
                p.tunnelPort());
    }

    static ListenerSpec listener(long number, TransportProtocol protocol, int first, int last, long pool) {
        return listener(number, protocol, first, last, pool, FlowTrackingKind.STATEFUL);
    }

    static ListenerSpec listener(
            long number, TransportProtocol protocol, int first, int last, long pool, FlowTrackingKind tracking) {
        return new ListenerSpec(
                id(number),
                "listener-" + number,
                protocol,
                List.of(new PortRangeSpec(first, last)),
                id(pool),
                tracking,
                300,
                true,
                null,
                List.of(),
                List.of(),
                List.of(),
                List.of(),
                null,
                false);
    }

    static LoadBalancerTree tree(PlacementSpec placement, List<ListenerSpec> listeners, List<PoolSpec> pools) {
        return new LoadBalancerTree(
                LOAD_BALANCER, PROJECT, TENANT, "web", null, Map.of(), true, placement, listeners, pools);
    }

    static CompileInput input(LoadBalancerTree tree, AttachedVip... vips) {
        return new CompileInput(tree, 7, List.of(vips), List.of(POP_1, POP_2), COMMITTED_AT);
    }
}
