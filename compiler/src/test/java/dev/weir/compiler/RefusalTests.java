// SPDX-License-Identifier: Apache-2.0
package dev.weir.compiler;

import static dev.weir.compiler.LoadBalancerTree.ForwardingModeKind.DNAT;
import static dev.weir.compiler.LoadBalancerTree.ForwardingModeKind.DSR;
import static dev.weir.compiler.LoadBalancerTree.ForwardingModeKind.SNAT;
import static dev.weir.compiler.LoadBalancerTree.ForwardingModeKind.TUNNEL;
import static dev.weir.compiler.LoadBalancerTree.TransportProtocol.TCP;
import static dev.weir.compiler.LoadBalancerTree.TransportProtocol.UDP;
import static dev.weir.compiler.LoadBalancerTree.TunnelEncapsulationKind.IPIP;
import static dev.weir.compiler.Trees.EVERYWHERE;
import static dev.weir.compiler.Trees.KEEP;
import static dev.weir.compiler.Trees.POP_1;
import static dev.weir.compiler.Trees.POP_2;
import static dev.weir.compiler.Trees.fixed;
import static dev.weir.compiler.Trees.id;
import static dev.weir.compiler.Trees.input;
import static dev.weir.compiler.Trees.listener;
import static dev.weir.compiler.Trees.member;
import static dev.weir.compiler.Trees.offset;
import static dev.weir.compiler.Trees.pool;
import static dev.weir.compiler.Trees.tree;
import static dev.weir.compiler.Trees.vip;
import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.compiler.LoadBalancerTree.FlowTrackingKind;
import dev.weir.compiler.LoadBalancerTree.HealthMonitorSpec;
import dev.weir.compiler.LoadBalancerTree.ListenerSpec;
import dev.weir.compiler.LoadBalancerTree.MemberSpec;
import dev.weir.compiler.LoadBalancerTree.PlacementKind;
import dev.weir.compiler.LoadBalancerTree.PlacementSpec;
import dev.weir.compiler.LoadBalancerTree.PoolSpec;
import dev.weir.compiler.LoadBalancerTree.ProbeKind;
import dev.weir.compiler.LoadBalancerTree.TunnelEncapsulationKind;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class RefusalTests {
    private static final AttachedVip VIP_4 = vip(21, "203.0.113.10");
    private static final AttachedVip VIP_4_OTHER = vip(22, "203.0.113.11");
    private static final AttachedVip VIP_6 = vip(23, "2001:db8::10");

    static Stream<Arguments> refusals() {
        ListenerSpec web = listener(31, TCP, 80, 80, 41);
        return Stream.of(
                refusal(
                        "port mapping with dsr",
                        List.of(web),
                        List.of(pool(41, DSR, member(51, "10.0.0.1", fixed(8080), POP_1))),
                        List.of(VIP_4),
                        "PORT_MAPPING_NEEDS_NAT /pools/0/members/0/port"),
                refusal(
                        "port mapping with tunnel",
                        List.of(web),
                        List.of(pool(41, TUNNEL, member(51, "10.0.0.1", offset(1)))),
                        List.of(VIP_4),
                        "PORT_MAPPING_NEEDS_NAT /pools/0/members/0/port"),
                refusal(
                        "IPv6 VIP before IPv4 members under snat",
                        List.of(web),
                        List.of(pool(41, SNAT, member(51, "10.0.0.1", KEEP))),
                        List.of(VIP_4, VIP_6),
                        "VIP_FAMILY_WITHOUT_MEMBER /listeners/0/pool_id"),
                refusal(
                        "dnat members without scope in two PoPs",
                        List.of(web),
                        List.of(pool(41, DNAT, member(51, "10.0.0.1", KEEP), member(52, "10.0.0.2", KEEP, POP_1))),
                        List.of(VIP_4),
                        "MEMBER_NEEDS_POP_SCOPE /pools/0/members/0/pop_ids"),
                refusal(
                        "dsr members without scope in two PoPs",
                        List.of(web),
                        List.of(pool(41, DSR, member(51, "10.0.0.1", KEEP))),
                        List.of(VIP_4),
                        "MEMBER_NEEDS_POP_SCOPE /pools/0/members/0/pop_ids"),
                refusal(
                        "PROXY protocol under dnat",
                        List.of(web),
                        List.of(Trees.withProxyProtocol(pool(41, DNAT, member(51, "10.0.0.1", KEEP, POP_1)))),
                        List.of(VIP_4),
                        "PROXY_PROTOCOL_NEEDS_SNAT /pools/0/proxy_protocol_v2"),
                refusal(
                        "stateless tcp",
                        List.of(listener(31, TCP, 80, 80, 41, FlowTrackingKind.STATELESS)),
                        List.of(pool(41, DNAT, member(51, "10.0.0.1", KEEP, POP_1))),
                        List.of(VIP_4),
                        "STATELESS_NEEDS_UDP /listeners/0/flow_tracking"),
                refusal(
                        "stateless snat",
                        List.of(listener(31, UDP, 53, 53, 41, FlowTrackingKind.STATELESS)),
                        List.of(pool(41, SNAT, member(51, "10.0.0.1", KEEP))),
                        List.of(VIP_4),
                        "STATELESS_WITH_SNAT /listeners/0/flow_tracking"),
                refusal(
                        "a reset of idle udp flows",
                        List.of(resetting(listener(31, UDP, 53, 53, 41))),
                        List.of(pool(41, SNAT, member(51, "10.0.0.1", KEEP))),
                        List.of(VIP_4),
                        "RESET_NEEDS_TCP /listeners/0/reset_on_idle_timeout"),
                refusal(
                        "a reset of flows whose replies pass elsewhere",
                        List.of(resetting(web)),
                        List.of(pool(41, TUNNEL, member(51, "10.0.0.1", KEEP))),
                        List.of(VIP_4),
                        "RESET_NEEDS_NAT /listeners/0/reset_on_idle_timeout"),
                refusal(
                        "an encapsulation without a tunnel",
                        List.of(web),
                        List.of(tunnelled(pool(41, SNAT, member(51, "10.0.0.1", KEEP)), IPIP, null)),
                        List.of(VIP_4),
                        "ENCAPSULATION_NEEDS_TUNNEL /pools/0/tunnel_encapsulation"),
                refusal(
                        "a UDP port of IP in IP",
                        List.of(web),
                        List.of(tunnelled(pool(41, TUNNEL, member(51, "10.0.0.1", KEEP)), IPIP, 6080)),
                        List.of(VIP_4),
                        "TUNNEL_PORT_NEEDS_GUE /pools/0/tunnel_port"),
                refusal(
                        "a udp probe that sends nothing",
                        List.of(web),
                        List.of(probed(pool(41, SNAT, member(51, "10.0.0.1", KEEP)), ProbeKind.UDP, null, null)),
                        List.of(VIP_4),
                        "UDP_SEND_REQUIRED /pools/0/health_monitor/udp_send"),
                refusal(
                        "a handshake that expects bytes",
                        List.of(web),
                        List.of(probed(
                                pool(41, SNAT, member(51, "10.0.0.1", KEEP)), ProbeKind.TCP_CONNECT, null, "cG9uZw==")),
                        List.of(VIP_4),
                        "UDP_SEND_NEEDS_UDP /pools/0/health_monitor/udp_expect"),
                refusal(
                        "bytes that are not Base64",
                        List.of(web),
                        List.of(probed(pool(41, SNAT, member(51, "10.0.0.1", KEEP)), ProbeKind.UDP, "p!ng", null)),
                        List.of(VIP_4),
                        "BASE64_INVALID /pools/0/health_monitor/udp_send"),
                refusal(
                        "a prefix list that is not there",
                        List.of(listing(web, id(71))),
                        List.of(pool(41, SNAT, member(51, "10.0.0.1", KEEP))),
                        List.of(VIP_4),
                        "PREFIX_LIST_NOT_FOUND /listeners/0/denied_prefix_list_ids/0"),
                refusal(
                        "an IPv4 VIP before IPv6 members under dnat",
                        List.of(web),
                        List.of(pool(41, DNAT, member(51, "2001:db8:9::1", KEEP, POP_1))),
                        List.of(VIP_4),
                        "VIP_FAMILY_WITHOUT_MEMBER /listeners/0/pool_id"),
                refusal(
                        "a port range onto one port under dnat",
                        List.of(listener(31, TCP, 80, 90, 41)),
                        List.of(pool(41, DNAT, member(51, "10.0.0.1", fixed(8080), POP_1))),
                        List.of(VIP_4),
                        "DNAT_REVERSE_AMBIGUOUS /pools/0/members/0"),
                refusal(
                        "two VIPs of a family under dnat",
                        List.of(web),
                        List.of(pool(41, DNAT, member(51, "10.0.0.1", KEEP, POP_1))),
                        List.of(VIP_4, VIP_4_OTHER),
                        "DNAT_REVERSE_AMBIGUOUS /pools/0/members/0"),
                refusal(
                        "two listeners onto one member port under dnat",
                        List.of(web, listener(32, TCP, 8080, 8080, 42)),
                        List.of(
                                pool(41, DNAT, member(51, "10.0.0.1", offset(1000), POP_1)),
                                pool(42, DNAT, member(52, "10.0.0.1", fixed(1080), POP_1))),
                        List.of(VIP_4),
                        "DNAT_REVERSE_AMBIGUOUS /pools/1/members/0"),
                refusal(
                        "an offset beyond the last port",
                        List.of(listener(31, TCP, 65000, 65001, 41)),
                        List.of(pool(41, SNAT, member(51, "10.0.0.1", offset(535)))),
                        List.of(VIP_4),
                        "PORT_OFFSET_OUT_OF_RANGE /pools/0/members/0/port/value"),
                refusal(
                        "overlapping ranges of a protocol",
                        List.of(listener(31, TCP, 80, 90, 41), listener(32, TCP, 85, 85, 41)),
                        List.of(pool(41, SNAT, member(51, "10.0.0.1", KEEP))),
                        List.of(VIP_4),
                        "PORT_RANGE_OVERLAP /listeners/1/port_ranges/0"),
                refusal(
                        "a range upside down",
                        List.of(listener(31, TCP, 90, 80, 41)),
                        List.of(pool(41, SNAT, member(51, "10.0.0.1", KEEP))),
                        List.of(VIP_4),
                        "PORT_RANGE_INVALID /listeners/0/port_ranges/0"),
                refusal(
                        "a pool that is not there",
                        List.of(listener(31, TCP, 80, 80, 99)),
                        List.of(pool(41, SNAT, member(51, "10.0.0.1", KEEP))),
                        List.of(VIP_4),
                        "POOL_NOT_FOUND /listeners/0/pool_id"),
                refusal(
                        "a host name as address",
                        List.of(web),
                        List.of(pool(41, SNAT, member(51, "10.0.0.1", KEEP), member(52, "localhost", KEEP))),
                        List.of(VIP_4),
                        "ADDRESS_INVALID /pools/0/members/1/address"),
                refusal(
                        "the same member twice",
                        List.of(web),
                        List.of(pool(41, SNAT, member(51, "10.0.0.1", KEEP), member(52, "10.0.0.1", KEEP))),
                        List.of(VIP_4),
                        "MEMBER_NOT_UNIQUE /pools/0/members/1"),
                refusal(
                        "a member in a PoP that does not exist",
                        List.of(web),
                        List.of(pool(
                                41,
                                SNAT,
                                member(51, "10.0.0.1", KEEP, new PopSite(id(19), "none", Map.of(), Set.of())))),
                        List.of(VIP_4),
                        "POP_NOT_FOUND /pools/0/members/0/pop_ids/0"));
    }

    private static Arguments refusal(
            String what, List<ListenerSpec> listeners, List<PoolSpec> pools, List<AttachedVip> vips, String fault) {
        return Arguments.of(what, listeners, pools, vips, fault);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("refusals")
    void isRefusedWithItsPlace(
            String what, List<ListenerSpec> listeners, List<PoolSpec> pools, List<AttachedVip> vips, String fault) {
        CompileInput input = input(tree(EVERYWHERE, listeners, pools), vips.toArray(AttachedVip[]::new));

        assertThat(faults(input)).containsExactly(fault);
    }

    @Test
    void allFaultsAreToldAtOnce() {
        LoadBalancerTree tree = tree(
                new PlacementSpec(PlacementKind.NAMED, List.of(id(99)), Map.of()),
                List.of(listener(31, TCP, 0, 80, 41), listener(32, TCP, 443, 443, 49)),
                List.of(pool(41, SNAT, member(51, "10.0.0.300", KEEP))));

        assertThat(faults(input(tree, VIP_4)))
                .containsExactlyInAnyOrder(
                        "POP_NOT_FOUND /placement/pop_ids/0",
                        "PORT_RANGE_INVALID /listeners/0/port_ranges/0",
                        "POOL_NOT_FOUND /listeners/1/pool_id",
                        "ADDRESS_INVALID /pools/0/members/0/address");
    }

    @Test
    void dnatMappingOfAnotherLoadBalancerMakesRepliesAmbiguousWithinAPoP() {
        LoadBalancerTree tree = tree(
                EVERYWHERE,
                List.of(listener(31, TCP, 80, 80, 41)),
                List.of(pool(41, DNAT, member(51, "10.0.0.1", KEEP, POP_1))));
        DnatMapping samePop = new DnatMapping(
                id(9), TCP, literal("10.0.0.1"), 80, 1, literal("203.0.113.99"), 80, Set.of(POP_1.id()));
        DnatMapping otherPop = new DnatMapping(
                id(9), TCP, literal("10.0.0.1"), 80, 1, literal("203.0.113.99"), 80, Set.of(POP_2.id()));

        assertThat(faults(input(tree, VIP_4).withOtherDnatMappings(List.of(samePop))))
                .containsExactly("DNAT_REVERSE_AMBIGUOUS /pools/0/members/0");
        assertThat(faults(input(tree, VIP_4).withOtherDnatMappings(List.of(otherPop))))
                .isEmpty();
    }

    @Test
    void featureThatAPlacedPopLacksIsNamed() {
        LoadBalancerTree tree = tree(
                EVERYWHERE,
                List.of(listener(31, TCP, 80, 80, 41)),
                List.of(pool(41, DSR, member(51, "10.0.0.1", KEEP, POP_1))));
        PopSite old = new PopSite(id(11), "pop1", Map.of(), Set.of("dnat", "snat", "maglev"));
        CompileInput input = new CompileInput(tree, 1, List.of(VIP_4), List.of(old, POP_2), Trees.COMMITTED_AT);

        CompileResult result = new LoadBalancerCompiler().compile(input);

        assertThat(result)
                .isEqualTo(new CompileResult.Refused(List.of(
                        new Fault(FaultCode.FEATURE_NOT_AVAILABLE, "/placement", "nodes of PoP pop1 lack dsr"))));
    }

    @Test
    void recordLargerThanTheLimitIsRefused() {
        List<MemberSpec> members = new ArrayList<>();
        for (int i = 0; i < 4096; i++) {
            String name = "member-%d-%s".formatted(i, "x".repeat(90));
            members.add(new MemberSpec(
                    id(1000 + i), name, "10.1.%d.%d".formatted(i / 250, i % 250), KEEP, 1, true, 0, List.of()));
        }
        LoadBalancerTree tree = tree(
                EVERYWHERE,
                List.of(listener(31, TCP, 80, 80, 41)),
                List.of(pool(41, SNAT, members.toArray(MemberSpec[]::new))));

        assertThat(faults(input(tree, VIP_4))).containsExactly("RECORD_TOO_LARGE ");
    }

    @Test
    void tunnelsCrossFamilies() {
        LoadBalancerTree tree = tree(
                EVERYWHERE,
                List.of(listener(31, TCP, 80, 80, 41)),
                List.of(pool(41, TUNNEL, member(51, "10.0.0.1", KEEP))));

        assertThat(faults(input(tree, VIP_4, VIP_6))).isEmpty();
    }

    @Test
    void poolWithoutMembersIsFine() {
        LoadBalancerTree tree = tree(EVERYWHERE, List.of(listener(31, TCP, 80, 80, 41)), List.of(pool(41, DNAT)));

        assertThat(faults(input(tree, VIP_4, VIP_6))).isEmpty();
    }

    private static List<String> faults(CompileInput input) {
        return switch (new LoadBalancerCompiler().compile(input)) {
            case CompileResult.Compiled ignored -> List.of();
            case CompileResult.Refused refused ->
                refused.faults().stream()
                        .map(fault -> fault.code() + " " + fault.pointer())
                        .toList();
        };
    }

    private static ListenerSpec resetting(ListenerSpec l) {
        return changed(l, List.of(), true);
    }

    private static ListenerSpec listing(ListenerSpec l, UUID denied) {
        return changed(l, List.of(denied), false);
    }

    private static ListenerSpec changed(ListenerSpec l, List<UUID> deniedLists, boolean reset) {
        return new ListenerSpec(
                l.id(),
                l.name(),
                l.protocol(),
                l.portRanges(),
                l.poolId(),
                l.flowTracking(),
                l.idleTimeoutS(),
                l.enabled(),
                l.sourcePersistence(),
                l.allowedCidrs(),
                l.deniedCidrs(),
                l.allowedPrefixListIds(),
                deniedLists,
                l.limits(),
                reset);
    }

    private static PoolSpec tunnelled(
            PoolSpec p, @Nullable TunnelEncapsulationKind encapsulation, @Nullable Integer port) {
        return changed(p, p.healthMonitor(), encapsulation, port);
    }

    private static PoolSpec probed(PoolSpec p, ProbeKind kind, @Nullable String send, @Nullable String expect) {
        HealthMonitorSpec monitor = new HealthMonitorSpec(id(61), kind, 1000, 500, 2, 3, null, send, expect);
        return changed(p, monitor, p.tunnelEncapsulation(), p.tunnelPort());
    }

    private static PoolSpec changed(
            PoolSpec p,
            @Nullable HealthMonitorSpec monitor,
            @Nullable TunnelEncapsulationKind encapsulation,
            @Nullable Integer port) {
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
                p.proxyProtocolV2(),
                p.flowSync(),
                monitor,
                p.members(),
                encapsulation,
                port);
    }

    private static InetAddress literal(String text) {
        return InetAddress.ofLiteral(text);
    }
}
