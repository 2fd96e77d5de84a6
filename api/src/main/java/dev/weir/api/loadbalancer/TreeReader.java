// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.loadbalancer;

import dev.weir.api.web.FieldFault;
import dev.weir.api.web.Ids;
import dev.weir.api.web.Networks;
import dev.weir.compiler.LoadBalancerTree;
import dev.weir.compiler.LoadBalancerTree.AlgorithmKind;
import dev.weir.compiler.LoadBalancerTree.FlowTrackingKind;
import dev.weir.compiler.LoadBalancerTree.ForwardingModeKind;
import dev.weir.compiler.LoadBalancerTree.ListenerLimitsSpec;
import dev.weir.compiler.LoadBalancerTree.MemberPortKind;
import dev.weir.compiler.LoadBalancerTree.MemberPortSpec;
import dev.weir.compiler.LoadBalancerTree.OnUnhealthyKind;
import dev.weir.compiler.LoadBalancerTree.PlacementKind;
import dev.weir.compiler.LoadBalancerTree.PlacementSpec;
import dev.weir.compiler.LoadBalancerTree.PortRangeSpec;
import dev.weir.compiler.LoadBalancerTree.ProbeKind;
import dev.weir.compiler.LoadBalancerTree.SourcePersistenceSpec;
import dev.weir.compiler.LoadBalancerTree.TransportProtocol;
import dev.weir.compiler.LoadBalancerTree.TunnelEncapsulationKind;
import dev.weir.compiler.LoadBalancerTree.WhenAllUnhealthyKind;
import dev.weir.compiler.ResourceId;
import dev.weir.rest.v1.model.ForwardingMode;
import dev.weir.rest.v1.model.HealthMonitorSpec;
import dev.weir.rest.v1.model.ListenerLimits;
import dev.weir.rest.v1.model.ListenerSpec;
import dev.weir.rest.v1.model.LoadBalancerSpec;
import dev.weir.rest.v1.model.MemberPort;
import dev.weir.rest.v1.model.MemberSpec;
import dev.weir.rest.v1.model.Placement;
import dev.weir.rest.v1.model.PoolSpec;
import dev.weir.rest.v1.model.SourcePersistence;
import dev.weir.rest.v1.model.TunnelEncapsulation;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Turns a request into a tree: fills defaults in, and recognises the parts that exist already, listeners and pools by id,
 * else by name; members by id, else by address, port and PoP scope. What cannot be recognised becomes a fault, and an id
 * of its own so that the rest can still be checked.
 */
final class TreeReader {
    private static final int TCP_IDLE_TIMEOUT_S = 3_600;
    private static final int UDP_IDLE_TIMEOUT_S = 60;
    private static final int GUE_PORT = 6080;

    private final Ids ids;
    private final @Nullable LoadBalancerTree existing;
    private final List<FieldFault> faults = new ArrayList<>();

    /** @param existing the tree to change; null for a new one */
    TreeReader(Ids ids, @Nullable LoadBalancerTree existing) {
        this.ids = ids;
        this.existing = existing;
    }

    Draft read(LoadBalancerSpec body, UUID loadBalancerId, UUID projectId, UUID tenantId) {
        List<LoadBalancerTree.PoolSpec> pools = pools(body.getPools());
        List<LoadBalancerTree.ListenerSpec> listeners = listeners(body.getListeners(), pools);
        LoadBalancerTree tree = new LoadBalancerTree(
                loadBalancerId,
                projectId,
                tenantId,
                body.getName(),
                body.getDescription(),
                body.getLabels() == null ? Map.of() : Map.copyOf(body.getLabels()),
                body.getEnabled() == null || body.getEnabled(),
                placement(body.getPlacement()),
                listeners,
                pools);
        return new Draft(
                tree,
                faults,
                body.getListeners().stream()
                        .map(listener -> listener.getPoolId() == null)
                        .toList());
    }

    /** Faults that were found so far. */
    List<FieldFault> faults() {
        return faults;
    }

    PlacementSpec placement(@Nullable Placement placement) {
        if (placement == null) {
            return new PlacementSpec(PlacementKind.ALL, List.of(), Map.of());
        }
        PlacementKind kind = PlacementKind.valueOf(placement.getKind().name());
        List<String> popIds = orEmpty(placement.getPopIds());
        Map<String, String> labels = placement.getLabels() == null ? Map.of() : Map.copyOf(placement.getLabels());
        if (kind != PlacementKind.NAMED && !popIds.isEmpty()) {
            fault("/placement/pop_ids", "NOT_ALLOWED", "only a placement of kind named has pop_ids");
        }
        if (kind != PlacementKind.LABELS && !labels.isEmpty()) {
            fault("/placement/labels", "NOT_ALLOWED", "only a placement of kind labels has labels");
        }
        return new PlacementSpec(kind, popIds(popIds), labels);
    }

    private List<LoadBalancerTree.PoolSpec> pools(List<PoolSpec> specs) {
        List<LoadBalancerTree.PoolSpec> known = existing == null ? List.of() : existing.pools();
        List<LoadBalancerTree.@Nullable PoolSpec> matches = match(
                specs,
                PoolSpec::getId,
                PoolSpec::getName,
                ResourceId.POOL,
                known,
                LoadBalancerTree.PoolSpec::id,
                LoadBalancerTree.PoolSpec::name,
                "/pools");
        List<LoadBalancerTree.PoolSpec> pools = new ArrayList<>();
        for (int i = 0; i < specs.size(); i++) {
            pools.add(pool(specs.get(i), matches.get(i), "/pools/" + i));
        }
        return pools;
    }

    LoadBalancerTree.PoolSpec pool(PoolSpec spec, LoadBalancerTree.@Nullable PoolSpec known, String at) {
        return new LoadBalancerTree.PoolSpec(
                known == null ? ids.next() : known.id(),
                spec.getName(),
                spec.getAlgorithm() == null
                        ? AlgorithmKind.MAGLEV
                        : AlgorithmKind.valueOf(spec.getAlgorithm().name()),
                spec.getForwardingMode() == null
                        ? ForwardingModeKind.SNAT
                        : ForwardingModeKind.valueOf(spec.getForwardingMode().name()),
                spec.getDrainTimeoutS(),
                spec.getSlowStartS(),
                spec.getWhenAllUnhealthy() == null
                        ? WhenAllUnhealthyKind.OPEN
                        : WhenAllUnhealthyKind.valueOf(
                                spec.getWhenAllUnhealthy().name()),
                spec.getOnUnhealthy() == null
                        ? OnUnhealthyKind.KEEP
                        : OnUnhealthyKind.valueOf(spec.getOnUnhealthy().name()),
                spec.getMinimumHealthy(),
                spec.getProxyProtocolV2(),
                spec.getFlowSync(),
                monitor(spec.getHealthMonitor(), known),
                members(spec.getMembers(), known, at + "/members"),
                encapsulation(spec),
                tunnelPort(spec));
    }

    // Only what a mode uses is kept: a default must not make two trees differ that mean the same.
    private static @Nullable TunnelEncapsulationKind encapsulation(PoolSpec spec) {
        if (spec.getTunnelEncapsulation() != null) {
            return TunnelEncapsulationKind.valueOf(spec.getTunnelEncapsulation().name());
        }
        return spec.getForwardingMode() == ForwardingMode.TUNNEL ? TunnelEncapsulationKind.IPIP : null;
    }

    private static @Nullable Integer tunnelPort(PoolSpec spec) {
        if (spec.getTunnelPort() != null) {
            return spec.getTunnelPort();
        }
        return spec.getTunnelEncapsulation() == TunnelEncapsulation.GUE ? (Integer) GUE_PORT : null;
    }

    LoadBalancerTree.@Nullable HealthMonitorSpec monitor(
            @Nullable HealthMonitorSpec spec, LoadBalancerTree.@Nullable PoolSpec pool) {
        if (spec == null) {
            return null;
        }
        LoadBalancerTree.HealthMonitorSpec known = pool == null ? null : pool.healthMonitor();
        return new LoadBalancerTree.HealthMonitorSpec(
                known == null ? ids.next() : known.id(),
                ProbeKind.valueOf(spec.getType().name()),
                spec.getIntervalMs(),
                spec.getTimeoutMs(),
                spec.getRise(),
                spec.getFall(),
                spec.getPort(),
                spec.getUdpSend(),
                spec.getUdpExpect());
    }

    private record MemberKey(String address, MemberPortSpec port, Set<UUID> popIds) {
        static MemberKey of(LoadBalancerTree.MemberSpec member) {
            return new MemberKey(member.address(), member.port(), Set.copyOf(member.popIds()));
        }
    }

    List<LoadBalancerTree.MemberSpec> members(
            List<MemberSpec> specs, LoadBalancerTree.@Nullable PoolSpec pool, String at) {
        Map<UUID, LoadBalancerTree.MemberSpec> known = pool == null
                ? Map.of()
                : pool.members().stream().collect(Collectors.toMap(LoadBalancerTree.MemberSpec::id, m -> m));
        Set<UUID> named = namedIds(specs, MemberSpec::getId, ResourceId.MEMBER, known.keySet(), at);
        Map<MemberKey, LoadBalancerTree.MemberSpec> byKey = new HashMap<>();
        known.values().stream()
                .filter(member -> !named.contains(member.id()))
                .forEach(member -> byKey.put(MemberKey.of(member), member));
        List<LoadBalancerTree.MemberSpec> members = new ArrayList<>();
        for (int i = 0; i < specs.size(); i++) {
            MemberSpec spec = specs.get(i);
            LoadBalancerTree.MemberSpec member = member(spec, at + "/" + i);
            LoadBalancerTree.MemberSpec same = spec.getId() != null
                    ? known.get(parse(ResourceId.MEMBER, spec.getId()))
                    : byKey.remove(MemberKey.of(member));
            members.add(same == null ? member : recognised(member, spec.getName(), same));
        }
        return members;
    }

    /** A member that nobody knows yet. */
    LoadBalancerTree.MemberSpec member(MemberSpec spec, String at) {
        UUID id = ids.next();
        return new LoadBalancerTree.MemberSpec(
                id,
                spec.getName() == null ? "member-" + id.toString().substring(24) : spec.getName(),
                Networks.address(spec.getAddress()).map(Networks::text).orElse(spec.getAddress()),
                port(spec.getPort(), at + "/port"),
                spec.getWeight(),
                spec.getEnabled(),
                spec.getPriority(),
                popIds(orEmpty(spec.getPopIds())));
    }

    /** A member that is there already, as the request wants it. */
    LoadBalancerTree.MemberSpec member(MemberSpec spec, LoadBalancerTree.MemberSpec known, String at) {
        return recognised(member(spec, at), spec.getName(), known);
    }

    private static LoadBalancerTree.MemberSpec recognised(
            LoadBalancerTree.MemberSpec member, @Nullable String name, LoadBalancerTree.MemberSpec known) {
        return new LoadBalancerTree.MemberSpec(
                known.id(),
                name == null ? known.name() : name,
                member.address(),
                member.port(),
                member.weight(),
                member.enabled(),
                member.priority(),
                member.popIds());
    }

    private MemberPortSpec port(@Nullable MemberPort port, String at) {
        if (port == null) {
            return new MemberPortSpec(MemberPortKind.KEEP, 0);
        }
        MemberPortKind kind = MemberPortKind.valueOf(port.getKind().name());
        int value = Objects.requireNonNullElse(port.getValue(), 0);
        if (kind == MemberPortKind.KEEP && value != 0) {
            fault(at + "/value", "NOT_ALLOWED", "the kind keep has no value");
        }
        return new MemberPortSpec(kind, value);
    }

    private List<LoadBalancerTree.ListenerSpec> listeners(
            List<ListenerSpec> specs, List<LoadBalancerTree.PoolSpec> pools) {
        List<LoadBalancerTree.ListenerSpec> known = existing == null ? List.of() : existing.listeners();
        List<LoadBalancerTree.@Nullable ListenerSpec> matches = match(
                specs,
                ListenerSpec::getId,
                ListenerSpec::getName,
                ResourceId.LISTENER,
                known,
                LoadBalancerTree.ListenerSpec::id,
                LoadBalancerTree.ListenerSpec::name,
                "/listeners");
        List<LoadBalancerTree.ListenerSpec> listeners = new ArrayList<>();
        for (int i = 0; i < specs.size(); i++) {
            listeners.add(listener(specs.get(i), matches.get(i), pools, "/listeners/" + i));
        }
        return listeners;
    }

    LoadBalancerTree.ListenerSpec listener(
            ListenerSpec spec,
            LoadBalancerTree.@Nullable ListenerSpec known,
            List<LoadBalancerTree.PoolSpec> pools,
            String at) {
        TransportProtocol protocol =
                TransportProtocol.valueOf(spec.getProtocol().name());
        SourcePersistence persistence = spec.getSourcePersistence();
        return new LoadBalancerTree.ListenerSpec(
                known == null ? ids.next() : known.id(),
                spec.getName(),
                protocol,
                spec.getPortRanges().stream()
                        .map(range -> new PortRangeSpec(range.getFirst(), range.getLast()))
                        .toList(),
                poolOf(spec, pools, at),
                spec.getFlowTracking() == null
                        ? FlowTrackingKind.STATEFUL
                        : FlowTrackingKind.valueOf(spec.getFlowTracking().name()),
                spec.getIdleTimeoutS() == null
                        ? protocol == TransportProtocol.TCP ? TCP_IDLE_TIMEOUT_S : UDP_IDLE_TIMEOUT_S
                        : spec.getIdleTimeoutS(),
                spec.getEnabled(),
                persistence == null
                        ? null
                        : new SourcePersistenceSpec(
                                persistence.getTimeoutS(),
                                persistence.getIpv4PrefixLength(),
                                persistence.getIpv6PrefixLength()),
                List.copyOf(orEmpty(spec.getAllowedCidrs())),
                List.copyOf(orEmpty(spec.getDeniedCidrs())),
                prefixLists(spec.getAllowedPrefixListIds()),
                prefixLists(spec.getDeniedPrefixListIds()),
                limits(spec.getLimits()),
                spec.getResetOnIdleTimeout());
    }

    // What is no id is an id of nothing: the compiler then says that there is no such list.
    private List<UUID> prefixLists(@Nullable Set<String> texts) {
        return orEmpty(texts).stream()
                .map(text -> parse(ResourceId.PREFIX_LIST, text))
                .toList();
    }

    private static @Nullable ListenerLimitsSpec limits(@Nullable ListenerLimits limits) {
        return limits == null
                ? null
                : new ListenerLimitsSpec(
                        limits.getNewFlowsPerS(),
                        limits.getActiveFlows(),
                        limits.getNewFlowsPerSourcePerS(),
                        limits.getActiveFlowsPerSource());
    }

    // An id that no pool of the tree has makes the compiler say so.
    private UUID poolOf(ListenerSpec spec, List<LoadBalancerTree.PoolSpec> pools, String at) {
        String name = spec.getPoolName();
        if (spec.getPoolId() == null && name == null) {
            fault(at + "/pool_name", "REQUIRED", "name the listener's pool by pool_name or pool_id");
            return pools.isEmpty() ? ids.next() : pools.getFirst().id();
        }
        UUID byName = pools.stream()
                .filter(pool -> pool.name().equals(name))
                .findFirst()
                .map(LoadBalancerTree.PoolSpec::id)
                .orElse(null);
        if (spec.getPoolId() == null) {
            return byName == null ? ids.next() : byName;
        }
        UUID byId = parse(ResourceId.POOL, spec.getPoolId());
        if (name != null && !byId.equals(byName)) {
            fault(at + "/pool_name", "CONTRADICTION", "pool_id and pool_name name different pools");
        }
        return byId;
    }

    /** For each part of the request the existing part that it means; null: a new one. */
    private <S, K> List<@Nullable K> match(
            List<S> specs,
            Function<S, @Nullable String> specId,
            Function<S, String> specName,
            ResourceId kind,
            List<K> known,
            Function<K, UUID> knownId,
            Function<K, String> knownName,
            String at) {
        Map<UUID, K> byId = known.stream().collect(Collectors.toMap(knownId, Function.identity()));
        Set<UUID> named = namedIds(specs, specId, kind, byId.keySet(), at);
        Map<String, K> byName = new HashMap<>();
        known.stream()
                .filter(part -> !named.contains(knownId.apply(part)))
                .forEach(part -> byName.put(knownName.apply(part), part));
        List<@Nullable K> matches = new ArrayList<>();
        for (S spec : specs) {
            String id = specId.apply(spec);
            matches.add(id != null ? byId.get(parse(kind, id)) : byName.remove(specName.apply(spec)));
        }
        return matches;
    }

    private <S> Set<UUID> namedIds(
            List<S> specs, Function<S, @Nullable String> specId, ResourceId kind, Set<UUID> known, String at) {
        Set<UUID> named = new HashSet<>();
        for (int i = 0; i < specs.size(); i++) {
            String text = specId.apply(specs.get(i));
            if (text == null) {
                continue;
            }
            UUID id = parse(kind, text);
            if (!known.contains(id)) {
                fault(
                        at + "/" + i + "/id",
                        "NOT_FOUND",
                        "there is none of this id here; leave id out to make a new one");
            } else if (!named.add(id)) {
                fault(at + "/" + i + "/id", "NOT_UNIQUE", "is named twice");
            }
        }
        return named;
    }

    // What is no id is an id of nothing: the compiler then says that there is no such PoP.
    private List<UUID> popIds(Collection<String> texts) {
        return texts.stream().map(text -> parse(ResourceId.POP, text)).toList();
    }

    private UUID parse(ResourceId kind, String text) {
        return kind.matches(text) ? kind.parse(text) : ids.next();
    }

    private void fault(String pointer, String code, String detail) {
        faults.add(new FieldFault(pointer, code, detail));
    }

    private static <T> Collection<T> orEmpty(@Nullable Set<T> set) {
        return set == null ? List.of() : set;
    }

    private static <T> List<T> orEmpty(@Nullable List<T> list) {
        return list == null ? List.of() : list;
    }
}
