// SPDX-License-Identifier: Apache-2.0
package dev.weir.compiler;

import static dev.weir.compiler.FaultCode.ADDRESS_INVALID;
import static dev.weir.compiler.FaultCode.BASE64_INVALID;
import static dev.weir.compiler.FaultCode.CIDR_INVALID;
import static dev.weir.compiler.FaultCode.MEMBER_NOT_UNIQUE;
import static dev.weir.compiler.FaultCode.NAME_NOT_UNIQUE;
import static dev.weir.compiler.FaultCode.POOL_NOT_FOUND;
import static dev.weir.compiler.FaultCode.POP_NOT_FOUND;
import static dev.weir.compiler.FaultCode.PORT_RANGE_INVALID;
import static dev.weir.compiler.FaultCode.PORT_RANGE_OVERLAP;
import static dev.weir.compiler.FaultCode.PREFIX_LIST_NOT_FOUND;
import static dev.weir.compiler.FaultCode.TOO_MANY_CIDRS;
import static dev.weir.compiler.FaultCode.TOO_MANY_MEMBERS;
import static dev.weir.compiler.FaultCode.TOO_MANY_PREFIX_LISTS;
import static dev.weir.compiler.FaultCode.UDP_SEND_NEEDS_UDP;
import static dev.weir.compiler.FaultCode.UDP_SEND_REQUIRED;
import static dev.weir.compiler.FaultCode.VALUE_OUT_OF_RANGE;

import dev.weir.compiler.LoadBalancerTree.HealthMonitorSpec;
import dev.weir.compiler.LoadBalancerTree.ListenerLimitsSpec;
import dev.weir.compiler.LoadBalancerTree.ListenerSpec;
import dev.weir.compiler.LoadBalancerTree.MemberPortKind;
import dev.weir.compiler.LoadBalancerTree.MemberSpec;
import dev.weir.compiler.LoadBalancerTree.PoolSpec;
import dev.weir.compiler.LoadBalancerTree.PortRangeSpec;
import dev.weir.compiler.LoadBalancerTree.SourcePersistenceSpec;
import dev.weir.compiler.LoadBalancerTree.TransportProtocol;
import java.net.InetAddress;
import java.util.Base64;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Checks that every value means something and every reference leads somewhere. */
final class StructureChecks {
    private static final int MAX_WEIGHT = 256;
    private static final int MAX_INLINE_CIDRS = 64;
    private static final int MAX_PREFIX_LISTS = 8;
    private static final int MAX_PROBE_BYTES = 512;
    private static final long MAX_LIMIT = 1_000_000_000;
    private static final int SECONDS_PER_DAY = 86_400;
    private static final int MAX_PORT = 65_535;

    private final LoadBalancerTree tree;
    private final Set<UUID> knownPops;
    private final Set<UUID> knownPrefixLists;
    private final Faults faults;

    private StructureChecks(CompileInput input, Faults faults) {
        this.tree = input.tree();
        this.knownPops = input.pops().stream().map(PopSite::id).collect(Collectors.toSet());
        this.knownPrefixLists = input.prefixListIds();
        this.faults = faults;
    }

    static void check(CompileInput input, Faults faults) {
        StructureChecks checks = new StructureChecks(input, faults);
        checks.popsExist(input.tree().placement().popIds(), "/placement/pop_ids");
        checks.listeners();
        checks.pools();
    }

    private void popsExist(List<UUID> popIds, String pointer) {
        for (int i = 0; i < popIds.size(); i++) {
            faults.addUnless(knownPops.contains(popIds.get(i)), POP_NOT_FOUND, pointer + "/" + i, "no such PoP");
        }
    }

    private void listeners() {
        Set<String> names = new HashSet<>();
        Set<UUID> poolIds = tree.pools().stream().map(PoolSpec::id).collect(Collectors.toSet());
        Map<TransportProtocol, TreeMap<Integer, PortRangeSpec>> taken = new EnumMap<>(TransportProtocol.class);
        for (int i = 0; i < tree.listeners().size(); i++) {
            ListenerSpec listener = tree.listeners().get(i);
            String at = "/listeners/" + i;
            faults.addUnless(
                    names.add(listener.name()), NAME_NOT_UNIQUE, at + "/name", "another listener has this name");
            faults.addUnless(
                    poolIds.contains(listener.poolId()),
                    POOL_NOT_FOUND,
                    at + "/pool_id",
                    "the load balancer has no such pool");
            faults.addUnlessWithin(1, listener.idleTimeoutS(), SECONDS_PER_DAY, at + "/idle_timeout_s");
            portRanges(listener, at, taken.computeIfAbsent(listener.protocol(), p -> new TreeMap<>()));
            cidrs(listener.allowedCidrs(), at + "/allowed_cidrs");
            cidrs(listener.deniedCidrs(), at + "/denied_cidrs");
            prefixLists(listener.allowedPrefixListIds(), at + "/allowed_prefix_list_ids");
            prefixLists(listener.deniedPrefixListIds(), at + "/denied_prefix_list_ids");
            ListenerLimitsSpec limits = listener.limits();
            if (limits != null) {
                limits(limits, at + "/limits");
            }
            SourcePersistenceSpec persistence = listener.sourcePersistence();
            if (persistence != null) {
                String here = at + "/source_persistence";
                faults.addUnlessWithin(1, persistence.timeoutS(), SECONDS_PER_DAY, here + "/timeout_s");
                faults.addUnlessWithin(8, persistence.ipv4PrefixLength(), 32, here + "/ipv4_prefix_length");
                faults.addUnlessWithin(16, persistence.ipv6PrefixLength(), 128, here + "/ipv6_prefix_length");
            }
        }
    }

    private void portRanges(ListenerSpec listener, String at, TreeMap<Integer, PortRangeSpec> taken) {
        faults.addUnless(
                !listener.portRanges().isEmpty(),
                PORT_RANGE_INVALID,
                at + "/port_ranges",
                "a listener needs at least one port range");
        for (int i = 0; i < listener.portRanges().size(); i++) {
            PortRangeSpec range = listener.portRanges().get(i);
            String here = at + "/port_ranges/" + i;
            if (range.first() < 1 || range.last() > MAX_PORT || range.first() > range.last()) {
                faults.add(PORT_RANGE_INVALID, here, "must run from a first to a last port within 1 to 65535");
                continue;
            }
            Map.Entry<Integer, PortRangeSpec> before = taken.floorEntry(range.last());
            if (before != null && before.getValue().last() >= range.first()) {
                faults.add(PORT_RANGE_OVERLAP, here, "shares ports with another range of the same protocol");
            } else {
                taken.put(range.first(), range);
            }
        }
    }

    private void cidrs(List<String> cidrs, String at) {
        faults.addUnless(
                cidrs.size() <= MAX_INLINE_CIDRS,
                TOO_MANY_CIDRS,
                at,
                "at most %d CIDRs can be listed here".formatted(MAX_INLINE_CIDRS));
        for (int i = 0; i < cidrs.size(); i++) {
            faults.addUnless(
                    IpLiteral.cidr(cidrs.get(i)).isPresent(),
                    CIDR_INVALID,
                    at + "/" + i,
                    "must be a CIDR without host bits, such as 192.0.2.0/24");
        }
    }

    private void prefixLists(List<UUID> ids, String at) {
        faults.addUnless(
                ids.size() <= MAX_PREFIX_LISTS,
                TOO_MANY_PREFIX_LISTS,
                at,
                "at most %d prefix lists can be named here".formatted(MAX_PREFIX_LISTS));
        for (int i = 0; i < ids.size(); i++) {
            faults.addUnless(
                    knownPrefixLists.contains(ids.get(i)),
                    PREFIX_LIST_NOT_FOUND,
                    at + "/" + i,
                    "the project has no such prefix list");
        }
    }

    private void limits(ListenerLimitsSpec limits, String at) {
        limit(limits.newFlowsPerS(), at + "/new_flows_per_s");
        limit(limits.activeFlows(), at + "/active_flows");
        limit(limits.newFlowsPerSourcePerS(), at + "/new_flows_per_source_per_s");
        limit(limits.activeFlowsPerSource(), at + "/active_flows_per_source");
    }

    private void limit(long value, String at) {
        faults.addUnless(
                value >= 0 && value <= MAX_LIMIT,
                VALUE_OUT_OF_RANGE,
                at,
                "must be between 0 and %d; 0: no limit".formatted(MAX_LIMIT));
    }

    private void pools() {
        Set<String> names = new HashSet<>();
        for (int i = 0; i < tree.pools().size(); i++) {
            PoolSpec pool = tree.pools().get(i);
            String at = "/pools/" + i;
            faults.addUnless(names.add(pool.name()), NAME_NOT_UNIQUE, at + "/name", "another pool has this name");
            faults.addUnlessWithin(0, pool.drainTimeoutS(), SECONDS_PER_DAY, at + "/drain_timeout_s");
            faults.addUnlessWithin(0, pool.slowStartS(), 3600, at + "/slow_start_s");
            faults.addUnless(
                    pool.minimumHealthy() >= 0, VALUE_OUT_OF_RANGE, at + "/minimum_healthy", "must not be negative");
            Integer tunnelPort = pool.tunnelPort();
            if (tunnelPort != null) {
                faults.addUnlessWithin(1, tunnelPort, MAX_PORT, at + "/tunnel_port");
            }
            faults.addUnless(
                    pool.members().size() <= MaglevTableSize.MAX_MEMBERS,
                    TOO_MANY_MEMBERS,
                    at + "/members",
                    "a pool has at most %d members".formatted(MaglevTableSize.MAX_MEMBERS));
            HealthMonitorSpec monitor = pool.healthMonitor();
            if (monitor != null) {
                healthMonitor(monitor, at + "/health_monitor");
            }
            members(pool, at);
        }
    }

    private void healthMonitor(HealthMonitorSpec monitor, String at) {
        faults.addUnlessWithin(100, monitor.intervalMs(), 300_000, at + "/interval_ms");
        faults.addUnlessWithin(10, monitor.timeoutMs(), 60_000, at + "/timeout_ms");
        faults.addUnless(
                monitor.timeoutMs() <= monitor.intervalMs(),
                VALUE_OUT_OF_RANGE,
                at + "/timeout_ms",
                "must not be longer than interval_ms");
        faults.addUnlessWithin(1, monitor.rise(), 10, at + "/rise");
        faults.addUnlessWithin(1, monitor.fall(), 10, at + "/fall");
        Integer port = monitor.port();
        if (port != null) {
            faults.addUnlessWithin(1, port, MAX_PORT, at + "/port");
        }
        switch (monitor.type()) {
            case TCP_CONNECT ->
                faults.addUnless(
                        monitor.udpSend() == null && monitor.udpExpect() == null,
                        UDP_SEND_NEEDS_UDP,
                        at + (monitor.udpSend() == null ? "/udp_expect" : "/udp_send"),
                        "only probes of type udp send and expect bytes");
            case UDP ->
                faults.addUnless(
                        monitor.udpSend() != null,
                        UDP_SEND_REQUIRED,
                        at + "/udp_send",
                        "a udp probe needs bytes to send, that the member answers");
        }
        probeBytes(monitor.udpSend(), at + "/udp_send");
        probeBytes(monitor.udpExpect(), at + "/udp_expect");
    }

    private void probeBytes(@Nullable String base64, String at) {
        if (base64 == null) {
            return;
        }
        try {
            faults.addUnlessWithin(1, Base64.getDecoder().decode(base64).length, MAX_PROBE_BYTES, at);
        } catch (IllegalArgumentException e) {
            faults.add(BASE64_INVALID, at, "must be Base64");
        }
    }

    private record MemberKey(InetAddress address, LoadBalancerTree.MemberPortSpec port, Set<UUID> popIds) {}

    private void members(PoolSpec pool, String poolAt) {
        Set<String> names = new HashSet<>();
        Set<MemberKey> keys = new HashSet<>();
        for (int i = 0; i < pool.members().size(); i++) {
            MemberSpec member = pool.members().get(i);
            String at = poolAt + "/members/" + i;
            faults.addUnless(names.add(member.name()), NAME_NOT_UNIQUE, at + "/name", "another member has this name");
            faults.addUnlessWithin(0, member.weight(), MAX_WEIGHT, at + "/weight");
            faults.addUnlessWithin(0, member.priority(), 255, at + "/priority");
            if (member.port().kind() == MemberPortKind.FIXED) {
                faults.addUnlessWithin(1, member.port().value(), MAX_PORT, at + "/port/value");
            }
            popsExist(member.popIds(), at + "/pop_ids");
            Optional<InetAddress> address = IpLiteral.address(member.address());
            if (address.isEmpty()) {
                faults.add(ADDRESS_INVALID, at + "/address", "must be an IPv4 or IPv6 address");
            } else {
                faults.addUnless(
                        keys.add(new MemberKey(address.get(), member.port(), Set.copyOf(member.popIds()))),
                        MEMBER_NOT_UNIQUE,
                        at,
                        "another member of the pool has this address, port and PoP scope");
            }
        }
    }
}
