// SPDX-License-Identifier: Apache-2.0
package dev.weir.compiler;

import com.google.protobuf.ByteString;
import dev.weir.compiler.CompileResult.Compiled;
import dev.weir.compiler.CompileResult.Refused;
import dev.weir.compiler.LoadBalancerTree.HealthMonitorSpec;
import dev.weir.compiler.LoadBalancerTree.ListenerLimitsSpec;
import dev.weir.compiler.LoadBalancerTree.ListenerSpec;
import dev.weir.compiler.LoadBalancerTree.MemberSpec;
import dev.weir.compiler.LoadBalancerTree.PoolSpec;
import dev.weir.compiler.LoadBalancerTree.SourcePersistenceSpec;
import dev.weir.compiler.LoadBalancerTree.TunnelEncapsulationKind;
import dev.weir.messages.v1.Algorithm;
import dev.weir.messages.v1.FlowTracking;
import dev.weir.messages.v1.ForwardingMode;
import dev.weir.messages.v1.HealthMonitor;
import dev.weir.messages.v1.Listener;
import dev.weir.messages.v1.ListenerLimits;
import dev.weir.messages.v1.LoadBalancerConfig;
import dev.weir.messages.v1.Member;
import dev.weir.messages.v1.MemberPort;
import dev.weir.messages.v1.OnUnhealthy;
import dev.weir.messages.v1.Pool;
import dev.weir.messages.v1.PortRange;
import dev.weir.messages.v1.Prefix;
import dev.weir.messages.v1.ProbeType;
import dev.weir.messages.v1.Protocol;
import dev.weir.messages.v1.SourcePersistence;
import dev.weir.messages.v1.TunnelEncapsulation;
import dev.weir.messages.v1.VipAttachment;
import dev.weir.messages.v1.WhenAllUnhealthy;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Base64;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.SequencedSet;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Compiles a tree. Pure: the same input gives the same bytes, in whatever order the tree lists its parts. Safe for use
 * by several threads.
 */
public final class LoadBalancerCompiler {
    /** Of a whole record, {@code stable} and {@code candidate} together. */
    public static final int MAX_RECORD_BYTES = 512 * 1024;

    /** What the record around a configuration may take: ids, PoPs of a wave, an overlay, trace context. */
    private static final int ENVELOPE_BYTES = 4 * 1024;

    /** @return the configuration, or all faults of the tree at once */
    public CompileResult compile(CompileInput input) {
        Faults faults = new Faults();
        LoadBalancerTree tree = input.tree();
        SequencedSet<UUID> placed = Placement.popIds(tree.placement(), input.pops());
        StructureChecks.check(input, faults);
        ModeChecks.check(input, placed, faults);
        if (!faults.none()) {
            return new Refused(faults.list());
        }
        LoadBalancerConfig config = build(input, placed);
        FeatureChecks.check(config.getRequiredFeaturesList(), input.pops(), placed, faults);
        faults.addUnless(
                config.getSerializedSize() <= MAX_RECORD_BYTES - ENVELOPE_BYTES,
                FaultCode.RECORD_TOO_LARGE,
                "",
                "the load balancer is too large: its configuration takes %d of at most %d bytes"
                        .formatted(config.getSerializedSize(), MAX_RECORD_BYTES - ENVELOPE_BYTES));
        return faults.none() ? new Compiled(config) : new Refused(faults.list());
    }

    private static LoadBalancerConfig build(CompileInput input, SequencedSet<UUID> placed) {
        LoadBalancerTree tree = input.tree();
        LoadBalancerConfig.Builder config = LoadBalancerConfig.newBuilder()
                .setLoadBalancerId(ResourceId.LOAD_BALANCER.format(tree.loadBalancerId()))
                .setProjectId(ResourceId.PROJECT.format(tree.projectId()))
                .setGeneration(input.generation())
                .setEnabled(tree.enabled())
                .setCommittedAtUs(ChronoUnit.MICROS.between(Instant.EPOCH, input.committedAt()));
        placed.forEach(id -> config.addPopIds(ResourceId.POP.format(id)));
        input.vips().stream()
                .sorted(Comparator.comparing(AttachedVip::id))
                .forEach(vip -> config.addVips(VipAttachment.newBuilder()
                        .setVipId(ResourceId.VIP.format(vip.id()))
                        .setAddress(ByteString.copyFrom(vip.address().getAddress()))
                        .setClaimSequence(vip.claimSequence())));
        tree.listeners().stream()
                .sorted(Comparator.comparing(ListenerSpec::id))
                .forEach(listener -> config.addListeners(listener(listener)));
        tree.pools().stream()
                .sorted(Comparator.comparing(PoolSpec::id))
                .forEach(pool -> config.addPools(pool(pool, input)));
        return config.addAllRequiredFeatures(FeatureChecks.required(config)).build();
    }

    private static Listener listener(ListenerSpec spec) {
        Listener.Builder listener = Listener.newBuilder()
                .setListenerId(ResourceId.LISTENER.format(spec.id()))
                .setName(spec.name())
                .setProtocol(
                        switch (spec.protocol()) {
                            case TCP -> Protocol.PROTOCOL_TCP;
                            case UDP -> Protocol.PROTOCOL_UDP;
                        })
                .setPoolId(ResourceId.POOL.format(spec.poolId()))
                .setFlowTracking(
                        switch (spec.flowTracking()) {
                            case STATEFUL -> FlowTracking.FLOW_TRACKING_STATEFUL;
                            case STATELESS -> FlowTracking.FLOW_TRACKING_STATELESS;
                        })
                .setIdleTimeoutS(spec.idleTimeoutS())
                .setEnabled(spec.enabled())
                .addAllAllowedCidrs(prefixes(spec.allowedCidrs()))
                .addAllDeniedCidrs(prefixes(spec.deniedCidrs()))
                .addAllAllowedPrefixListIds(prefixLists(spec.allowedPrefixListIds()))
                .addAllDeniedPrefixListIds(prefixLists(spec.deniedPrefixListIds()))
                .setResetOnIdleTimeout(spec.resetOnIdleTimeout());
        spec.portRanges().stream()
                .sorted(Comparator.comparingInt(LoadBalancerTree.PortRangeSpec::first))
                .forEach(range -> listener.addPortRanges(
                        PortRange.newBuilder().setFirst(range.first()).setLast(range.last())));
        SourcePersistenceSpec persistence = spec.sourcePersistence();
        if (persistence != null) {
            listener.setSourcePersistence(SourcePersistence.newBuilder()
                    .setTimeoutS(persistence.timeoutS())
                    .setIpv4PrefixLength(persistence.ipv4PrefixLength())
                    .setIpv6PrefixLength(persistence.ipv6PrefixLength()));
        }
        ListenerLimitsSpec limits = spec.limits();
        if (limits != null) {
            listener.setLimits(ListenerLimits.newBuilder()
                    .setNewFlowsPerS(limits.newFlowsPerS())
                    .setActiveFlows(limits.activeFlows())
                    .setNewFlowsPerSourcePerS(limits.newFlowsPerSourcePerS())
                    .setActiveFlowsPerSource(limits.activeFlowsPerSource()));
        }
        return listener.build();
    }

    private static List<String> prefixLists(List<UUID> ids) {
        return ids.stream().sorted().map(ResourceId.PREFIX_LIST::format).toList();
    }

    private static List<Prefix> prefixes(List<String> cidrs) {
        return cidrs.stream()
                .sorted()
                .map(cidr -> IpLiteral.cidr(cidr).orElseThrow())
                .toList();
    }

    private static Pool pool(PoolSpec spec, CompileInput input) {
        Pool.Builder pool = Pool.newBuilder()
                .setPoolId(ResourceId.POOL.format(spec.id()))
                .setName(spec.name())
                .setAlgorithm(
                        switch (spec.algorithm()) {
                            case ROUND_ROBIN -> Algorithm.ALGORITHM_ROUND_ROBIN;
                            case WEIGHTED_ROUND_ROBIN -> Algorithm.ALGORITHM_WEIGHTED_ROUND_ROBIN;
                            case LEAST_CONNECTIONS -> Algorithm.ALGORITHM_LEAST_CONNECTIONS;
                            case WEIGHTED_LEAST_CONNECTIONS -> Algorithm.ALGORITHM_WEIGHTED_LEAST_CONNECTIONS;
                            case MAGLEV -> Algorithm.ALGORITHM_MAGLEV;
                            case SOURCE_IP_HASH -> Algorithm.ALGORITHM_SOURCE_IP_HASH;
                        })
                .setForwardingMode(
                        switch (spec.forwardingMode()) {
                            case DNAT -> ForwardingMode.FORWARDING_MODE_DNAT;
                            case SNAT -> ForwardingMode.FORWARDING_MODE_SNAT;
                            case DSR -> ForwardingMode.FORWARDING_MODE_DSR;
                            case TUNNEL -> ForwardingMode.FORWARDING_MODE_TUNNEL;
                        })
                .setDrainTimeoutS(spec.drainTimeoutS())
                .setSlowStartS(spec.slowStartS())
                .setWhenAllUnhealthy(
                        switch (spec.whenAllUnhealthy()) {
                            case OPEN -> WhenAllUnhealthy.WHEN_ALL_UNHEALTHY_OPEN;
                            case CLOSED -> WhenAllUnhealthy.WHEN_ALL_UNHEALTHY_CLOSED;
                            case WITHDRAW_VIP -> WhenAllUnhealthy.WHEN_ALL_UNHEALTHY_WITHDRAW_VIP;
                        })
                .setOnUnhealthy(
                        switch (spec.onUnhealthy()) {
                            case KEEP -> OnUnhealthy.ON_UNHEALTHY_KEEP;
                            case RESET -> OnUnhealthy.ON_UNHEALTHY_RESET;
                        })
                .setMinimumHealthy(spec.minimumHealthy())
                .setMaglevTableSize(MaglevTableSize.choose(
                        spec.members().size(), input.maglevTableSizes().getOrDefault(spec.id(), 0)))
                .setProxyProtocolV2(spec.proxyProtocolV2())
                .setFlowSync(spec.flowSync());
        TunnelEncapsulationKind encapsulation = spec.tunnelEncapsulation();
        if (encapsulation != null) {
            pool.setTunnelEncapsulation(
                    switch (encapsulation) {
                        case IPIP -> TunnelEncapsulation.TUNNEL_ENCAPSULATION_IPIP;
                        case GUE -> TunnelEncapsulation.TUNNEL_ENCAPSULATION_GUE;
                    });
        }
        Integer tunnelPort = spec.tunnelPort();
        if (tunnelPort != null) {
            pool.setTunnelPort(tunnelPort);
        }
        HealthMonitorSpec monitor = spec.healthMonitor();
        if (monitor != null) {
            pool.setHealthMonitor(healthMonitor(monitor));
        }
        spec.members().stream()
                .sorted(Comparator.comparing(MemberSpec::id))
                .forEach(member -> pool.addMembers(member(member, input.servingSinceUs())));
        return pool.build();
    }

    private static HealthMonitor healthMonitor(HealthMonitorSpec spec) {
        Integer port = spec.port();
        String send = spec.udpSend();
        String expect = spec.udpExpect();
        return HealthMonitor.newBuilder()
                .setHealthMonitorId(ResourceId.HEALTH_MONITOR.format(spec.id()))
                .setType(
                        switch (spec.type()) {
                            case TCP_CONNECT -> ProbeType.PROBE_TYPE_TCP_CONNECT;
                            case UDP -> ProbeType.PROBE_TYPE_UDP;
                        })
                .setIntervalMs(spec.intervalMs())
                .setTimeoutMs(spec.timeoutMs())
                .setRise(spec.rise())
                .setFall(spec.fall())
                .setPort(port == null ? 0 : port)
                .setUdpSend(base64(send))
                .setUdpExpect(base64(expect))
                .build();
    }

    private static ByteString base64(@Nullable String text) {
        return text == null
                ? ByteString.EMPTY
                : ByteString.copyFrom(Base64.getDecoder().decode(text));
    }

    private static Member member(MemberSpec spec, Map<UUID, Long> servingSinceUs) {
        Member.Builder member = Member.newBuilder()
                .setMemberId(ResourceId.MEMBER.format(spec.id()))
                .setName(spec.name())
                .setAddress(ByteString.copyFrom(
                        IpLiteral.address(spec.address()).orElseThrow().getAddress()))
                .setPort(
                        switch (spec.port().kind()) {
                            case KEEP -> MemberPort.newBuilder().setKeep(true);
                            case FIXED ->
                                MemberPort.newBuilder().setFixed(spec.port().value());
                            case OFFSET ->
                                MemberPort.newBuilder().setOffset(spec.port().value());
                        })
                .setWeight(spec.weight())
                .setEnabled(spec.enabled())
                .setPriority(spec.priority())
                .setServingSinceUs(servingSinceUs.getOrDefault(spec.id(), 0L));
        spec.popIds().stream().sorted().distinct().forEach(id -> member.addPopIds(ResourceId.POP.format(id)));
        return member.build();
    }
}
