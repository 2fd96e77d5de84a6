// SPDX-License-Identifier: Apache-2.0
package dev.weir.compiler;

import static dev.weir.compiler.FaultCode.DNAT_REVERSE_AMBIGUOUS;
import static dev.weir.compiler.FaultCode.ENCAPSULATION_NEEDS_TUNNEL;
import static dev.weir.compiler.FaultCode.MEMBER_NEEDS_POP_SCOPE;
import static dev.weir.compiler.FaultCode.PORT_MAPPING_NEEDS_NAT;
import static dev.weir.compiler.FaultCode.PORT_OFFSET_OUT_OF_RANGE;
import static dev.weir.compiler.FaultCode.PROXY_PROTOCOL_NEEDS_SNAT;
import static dev.weir.compiler.FaultCode.RESET_NEEDS_NAT;
import static dev.weir.compiler.FaultCode.RESET_NEEDS_TCP;
import static dev.weir.compiler.FaultCode.STATELESS_NEEDS_UDP;
import static dev.weir.compiler.FaultCode.STATELESS_WITH_SNAT;
import static dev.weir.compiler.FaultCode.TUNNEL_PORT_NEEDS_GUE;
import static dev.weir.compiler.FaultCode.VIP_FAMILY_WITHOUT_MEMBER;

import dev.weir.compiler.LoadBalancerTree.FlowTrackingKind;
import dev.weir.compiler.LoadBalancerTree.ForwardingModeKind;
import dev.weir.compiler.LoadBalancerTree.ListenerSpec;
import dev.weir.compiler.LoadBalancerTree.MemberPortKind;
import dev.weir.compiler.LoadBalancerTree.MemberSpec;
import dev.weir.compiler.LoadBalancerTree.PoolSpec;
import dev.weir.compiler.LoadBalancerTree.TransportProtocol;
import dev.weir.compiler.LoadBalancerTree.TunnelEncapsulationKind;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;
import java.util.stream.Collectors;

/** Checks what a forwarding mode can do with the listeners, VIPs and PoPs that it is asked to serve. */
final class ModeChecks {
    private final CompileInput input;
    private final LoadBalancerTree tree;
    private final Set<UUID> placed;
    private final Faults faults;

    private ModeChecks(CompileInput input, Set<UUID> placed, Faults faults) {
        this.input = input;
        this.tree = input.tree();
        this.placed = placed;
        this.faults = faults;
    }

    static void check(CompileInput input, Set<UUID> placed, Faults faults) {
        ModeChecks checks = new ModeChecks(input, placed, faults);
        checks.listeners();
        checks.pools();
        checks.reverseMappings();
    }

    private void listeners() {
        Map<UUID, PoolSpec> pools =
                tree.pools().stream().collect(Collectors.toMap(PoolSpec::id, Function.identity(), (a, b) -> a));
        for (int i = 0; i < tree.listeners().size(); i++) {
            ListenerSpec listener = tree.listeners().get(i);
            PoolSpec pool = pools.get(listener.poolId());
            String at = "/listeners/" + i;
            if (listener.flowTracking() == FlowTrackingKind.STATELESS) {
                faults.addUnless(
                        listener.protocol() == TransportProtocol.UDP,
                        STATELESS_NEEDS_UDP,
                        at + "/flow_tracking",
                        "only udp listeners can be stateless");
                faults.addUnless(
                        pool == null || pool.forwardingMode() != ForwardingModeKind.SNAT,
                        STATELESS_WITH_SNAT,
                        at + "/flow_tracking",
                        "snat needs stateful flow tracking: the source port of a flow must be remembered");
            }
            if (listener.resetOnIdleTimeout()) {
                faults.addUnless(
                        listener.protocol() == TransportProtocol.TCP,
                        RESET_NEEDS_TCP,
                        at + "/reset_on_idle_timeout",
                        "only tcp flows can be reset");
                faults.addUnless(
                        pool == null || translates(pool.forwardingMode()),
                        RESET_NEEDS_NAT,
                        at + "/reset_on_idle_timeout",
                        "forwarding modes dsr and tunnel do not see replies and cannot reset flows: use dnat or snat");
            }
            if (pool != null) {
                vipFamilies(pool, at);
            }
        }
    }

    private void vipFamilies(PoolSpec pool, String listenerAt) {
        if (!translates(pool.forwardingMode()) || pool.members().isEmpty()) {
            return;
        }
        Set<Class<?>> families = pool.members().stream()
                .map(member -> IpLiteral.address(member.address()))
                .flatMap(Optional::stream)
                .map(InetAddress::getClass)
                .collect(Collectors.toSet());
        input.vips().stream()
                .map(AttachedVip::address)
                .filter(vip -> !families.isEmpty() && !families.contains(vip.getClass()))
                .map(vip -> vip instanceof Inet4Address ? "IPv4" : "IPv6")
                .distinct()
                .forEach(family -> faults.add(
                        VIP_FAMILY_WITHOUT_MEMBER,
                        listenerAt + "/pool_id",
                        "an %s VIP is attached, but pool %s has no %s member to translate to"
                                .formatted(family, pool.name(), family)));
    }

    private void pools() {
        for (int p = 0; p < tree.pools().size(); p++) {
            PoolSpec pool = tree.pools().get(p);
            String at = "/pools/" + p;
            if (pool.proxyProtocolV2() && pool.forwardingMode() != ForwardingModeKind.SNAT) {
                faults.add(
                        PROXY_PROTOCOL_NEEDS_SNAT,
                        at + "/proxy_protocol_v2",
                        "PROXY protocol v2 works in forwarding mode snat only: other modes keep the client's address");
            }
            encapsulation(pool, at);
            for (int m = 0; m < pool.members().size(); m++) {
                member(pool, pool.members().get(m), at + "/members/" + m);
            }
        }
    }

    private void encapsulation(PoolSpec pool, String at) {
        faults.addUnless(
                pool.tunnelEncapsulation() == null || pool.forwardingMode() == ForwardingModeKind.TUNNEL,
                ENCAPSULATION_NEEDS_TUNNEL,
                at + "/tunnel_encapsulation",
                "only forwarding mode tunnel encapsulates packets");
        faults.addUnless(
                pool.tunnelPort() == null || pool.tunnelEncapsulation() == TunnelEncapsulationKind.GUE,
                TUNNEL_PORT_NEEDS_GUE,
                at + "/tunnel_port",
                "only tunnel_encapsulation gue uses a port");
    }

    private void member(PoolSpec pool, MemberSpec member, String at) {
        if (!translates(pool.forwardingMode()) && member.port().kind() != MemberPortKind.KEEP) {
            faults.add(
                    PORT_MAPPING_NEEDS_NAT,
                    at + "/port",
                    "forwarding modes dsr and tunnel keep the port: use keep, or mode dnat or snat");
        }
        if (member.port().kind() == MemberPortKind.OFFSET && !offsetFits(pool, member)) {
            faults.add(
                    PORT_OFFSET_OUT_OF_RANGE,
                    at + "/port/value",
                    "a listener's port plus the offset is outside of 1 to 65535");
        }
        boolean bound = switch (pool.forwardingMode()) {
            case DNAT, DSR -> true;
            case SNAT, TUNNEL -> false;
        };
        if (bound && placed.size() > 1 && member.popIds().isEmpty()) {
            faults.add(
                    MEMBER_NEEDS_POP_SCOPE,
                    at + "/pop_ids",
                    "name the member's PoPs: the placement spans %d PoPs, and replies in mode %s return through the PoP's own network"
                            .formatted(
                                    placed.size(), pool.forwardingMode() == ForwardingModeKind.DSR ? "dsr" : "dnat"));
        }
    }

    private boolean offsetFits(PoolSpec pool, MemberSpec member) {
        long offset = member.port().value();
        return tree.listeners().stream()
                .filter(listener -> listener.poolId().equals(pool.id()))
                .flatMap(listener -> listener.portRanges().stream())
                .allMatch(range -> range.first() + offset >= 1 && range.last() + offset <= 65_535);
    }

    private void reverseMappings() {
        List<DnatMapping> known = new ArrayList<>(input.otherDnatMappings());
        Set<String> told = new HashSet<>();
        for (DnatMapping.Origin origin : DnatMapping.origins(tree, input.vips(), placed)) {
            DnatMapping mapping = origin.mapping();
            Optional<DnatMapping> other =
                    known.stream().filter(mapping::conflictsWith).findFirst();
            String pointer = "/pools/%d/members/%d".formatted(origin.pool(), origin.member());
            if (other.isPresent() && told.add(pointer)) {
                faults.add(DNAT_REVERSE_AMBIGUOUS, pointer, ambiguity(mapping, other.get()));
            }
            known.add(mapping);
        }
    }

    private String ambiguity(DnatMapping mapping, DnatMapping other) {
        String where = other.loadBalancerId().equals(tree.loadBalancerId())
                ? "another listener port or VIP of this load balancer"
                : "load balancer " + ResourceId.LOAD_BALANCER.format(other.loadBalancerId());
        return "replies from %s port %d could also belong to %s; use forwarding mode snat or another member port"
                .formatted(mapping.memberAddress().getHostAddress(), mapping.firstMemberPort(), where);
    }

    private static boolean translates(ForwardingModeKind mode) {
        return switch (mode) {
            case DNAT, SNAT -> true;
            case DSR, TUNNEL -> false;
        };
    }
}
