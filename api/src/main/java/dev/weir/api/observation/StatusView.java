// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.observation;

import dev.weir.api.web.Times;
import dev.weir.compiler.LoadBalancerTree;
import dev.weir.compiler.LoadBalancerTree.MemberSpec;
import dev.weir.compiler.LoadBalancerTree.PoolSpec;
import dev.weir.compiler.ResourceId;
import dev.weir.db.rollout.MemberStatusRows.Seen;
import dev.weir.rest.v1.model.ListenerStatus;
import dev.weir.rest.v1.model.LoadBalancerStatus;
import dev.weir.rest.v1.model.MemberPopStatus;
import dev.weir.rest.v1.model.MemberStatus;
import dev.weir.rest.v1.model.OperatingStatus;
import dev.weir.rest.v1.model.PoolStatus;
import dev.weir.rest.v1.model.PopStatus;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;
import java.util.stream.Stream;

/** Sums up what nodes see of members: by PoP, pool, listener and load balancer. Pure. */
final class StatusView {
    private static final Set<OperatingStatus> SERVES =
            EnumSet.of(OperatingStatus.HEALTHY, OperatingStatus.UNMONITORED, OperatingStatus.DEGRADED);

    private final LoadBalancerTree tree;
    private final Map<UUID, String> pops;
    private final List<Seen> seen;

    /**
     * @param pops of the placement, by id: their names
     * @param seen by the nodes that can be reached
     */
    StatusView(LoadBalancerTree tree, Map<UUID, String> pops, List<Seen> seen) {
        this.tree = tree;
        this.pops = new LinkedHashMap<>(pops);
        this.seen = List.copyOf(seen);
    }

    LoadBalancerStatus status(long generation, long observedGeneration) {
        Map<UUID, PoolStatus> pools = new LinkedHashMap<>();
        tree.pools().forEach(pool -> pools.put(pool.id(), pool(pool)));
        List<ListenerStatus> listeners = tree.listeners().stream()
                .map(listener -> {
                    PoolStatus pool = Objects.requireNonNull(pools.get(listener.poolId()));
                    boolean on = tree.enabled() && listener.enabled();
                    return new ListenerStatus()
                            .id(ResourceId.LISTENER.format(listener.id()))
                            .name(listener.name())
                            .operatingStatus(on ? pool.getOperatingStatus() : OperatingStatus.DISABLED)
                            .pops(on ? pool.getPops() : byPop(pop -> OperatingStatus.DISABLED));
                })
                .toList();
        return new LoadBalancerStatus()
                .loadBalancerId(ResourceId.LOAD_BALANCER.format(tree.loadBalancerId()))
                .generation(generation)
                .observedGeneration(observedGeneration)
                .operatingStatus(overall(listeners.stream()
                        .map(ListenerStatus::getOperatingStatus)
                        .toList()))
                .pops(byPop(pop -> overall(listeners.stream()
                        .flatMap(listener -> in(listener.getPops(), pop))
                        .toList())))
                .listeners(listeners)
                .pools(List.copyOf(pools.values()));
    }

    private OperatingStatus overall(Collection<OperatingStatus> parts) {
        if (!tree.enabled()) {
            return OperatingStatus.DISABLED;
        }
        return combine(parts);
    }

    private static Stream<OperatingStatus> in(List<PopStatus> statuses, UUID pop) {
        String id = ResourceId.POP.format(pop);
        return statuses.stream().filter(status -> status.getPopId().equals(id)).map(PopStatus::getOperatingStatus);
    }

    private List<PopStatus> byPop(Function<UUID, OperatingStatus> status) {
        return pops.entrySet().stream()
                .map(pop -> new PopStatus()
                        .popId(ResourceId.POP.format(pop.getKey()))
                        .popName(pop.getValue())
                        .operatingStatus(status.apply(pop.getKey())))
                .toList();
    }

    private PoolStatus pool(PoolSpec pool) {
        List<MemberStatus> members = pool.members().stream().map(this::member).toList();
        List<PopStatus> byPop = byPop(pop -> combine(members.stream()
                .flatMap(member -> member.getPops().stream())
                .filter(status -> status.getPopId().equals(ResourceId.POP.format(pop)))
                .map(MemberPopStatus::getOperatingStatus)
                .toList()));
        return new PoolStatus()
                .id(ResourceId.POOL.format(pool.id()))
                .name(pool.name())
                .operatingStatus(combine(
                        byPop.stream().map(PopStatus::getOperatingStatus).toList()))
                .pops(byPop)
                .members(members);
    }

    private MemberStatus member(MemberSpec member) {
        List<MemberPopStatus> byPop = pops.entrySet().stream()
                .filter(pop -> member.popIds().isEmpty() || member.popIds().contains(pop.getKey()))
                .map(pop -> memberIn(member, pop.getKey(), pop.getValue()))
                .toList();
        return new MemberStatus()
                .id(ResourceId.MEMBER.format(member.id()))
                .name(member.name())
                .address(member.address())
                .operatingStatus(combine(
                        byPop.stream().map(MemberPopStatus::getOperatingStatus).toList()))
                .activeFlows(byPop.stream()
                        .mapToLong(MemberPopStatus::getActiveFlows)
                        .sum())
                .pops(byPop);
    }

    private MemberPopStatus memberIn(MemberSpec member, UUID pop, String popName) {
        List<Seen> here = seen.stream()
                .filter(row -> row.memberId().equals(member.id()) && row.popId().equals(pop))
                .toList();
        MemberPopStatus status = new MemberPopStatus()
                .popId(ResourceId.POP.format(pop))
                .popName(popName)
                .operatingStatus(combine(here.stream().map(row -> status(row)).toList()))
                .activeFlows(here.stream().mapToLong(Seen::activeFlows).sum());
        // Of nodes that disagree, the one that complains is the one to hear.
        here.stream()
                .min(Comparator.comparing((Seen row) -> SERVES.contains(status(row)))
                        .thenComparing(
                                row -> Objects.requireNonNullElse(row.lastProbeAt(), Instant.EPOCH),
                                Comparator.reverseOrder()))
                .ifPresent(row -> describe(status, row));
        latest(here.stream().map(Seen::drainDeadline)).ifPresent(at -> status.drainDeadline(Times.of(at)));
        return status;
    }

    private static void describe(MemberPopStatus status, Seen row) {
        if (!row.reason().isEmpty()) {
            status.reason(row.reason());
        }
        if (row.lastProbeAt() != null) {
            status.lastProbeAt(Times.of(row.lastProbeAt()));
            status.rttUs(row.rttUs());
        }
        if (row.since() != null) {
            status.since(Times.of(row.since()));
        }
    }

    private static java.util.Optional<Instant> latest(
            Stream<? extends @org.jspecify.annotations.Nullable Instant> times) {
        List<Instant> known = new ArrayList<>();
        times.forEach(time -> {
            if (time != null) {
                known.add(time);
            }
        });
        return known.stream().max(Comparator.naturalOrder());
    }

    private static OperatingStatus status(Seen row) {
        return OperatingStatus.fromValue(row.operatingStatus());
    }

    /**
     * What parts amount to. Parts that were told to take nothing new don't count where others do; what nobody has
     * reported counts as neither good nor bad.
     */
    static OperatingStatus combine(Collection<OperatingStatus> parts) {
        EnumSet<OperatingStatus> kinds = EnumSet.noneOf(OperatingStatus.class);
        kinds.addAll(parts);
        boolean draining = kinds.remove(OperatingStatus.DRAINING);
        boolean disabled = kinds.remove(OperatingStatus.DISABLED);
        boolean unknown = kinds.remove(OperatingStatus.UNKNOWN);
        if (kinds.isEmpty()) {
            return unknown || !draining && !disabled
                    ? OperatingStatus.UNKNOWN
                    : draining ? OperatingStatus.DRAINING : OperatingStatus.DISABLED;
        }
        if (kinds.contains(OperatingStatus.UNHEALTHY) || kinds.contains(OperatingStatus.DEGRADED)) {
            return kinds.size() == 1 && kinds.contains(OperatingStatus.UNHEALTHY)
                    ? OperatingStatus.UNHEALTHY
                    : OperatingStatus.DEGRADED;
        }
        return kinds.contains(OperatingStatus.HEALTHY) ? OperatingStatus.HEALTHY : OperatingStatus.UNMONITORED;
    }
}
