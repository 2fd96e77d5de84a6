// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.loadbalancer;

import dev.weir.api.web.Times;
import dev.weir.compiler.LoadBalancerTree;
import dev.weir.compiler.ResourceId;
import dev.weir.db.vip.VipAttachments.Attachment;
import dev.weir.rest.v1.model.Algorithm;
import dev.weir.rest.v1.model.AttachedVip;
import dev.weir.rest.v1.model.FlowTracking;
import dev.weir.rest.v1.model.ForwardingMode;
import dev.weir.rest.v1.model.HealthMonitor;
import dev.weir.rest.v1.model.Listener;
import dev.weir.rest.v1.model.ListenerLimits;
import dev.weir.rest.v1.model.LoadBalancer;
import dev.weir.rest.v1.model.Member;
import dev.weir.rest.v1.model.MemberPort;
import dev.weir.rest.v1.model.MemberPortKind;
import dev.weir.rest.v1.model.OnUnhealthy;
import dev.weir.rest.v1.model.Placement;
import dev.weir.rest.v1.model.PlacementKind;
import dev.weir.rest.v1.model.Pool;
import dev.weir.rest.v1.model.PortRange;
import dev.weir.rest.v1.model.ProbeType;
import dev.weir.rest.v1.model.Protocol;
import dev.weir.rest.v1.model.RevisionTree;
import dev.weir.rest.v1.model.RolloutStrategy;
import dev.weir.rest.v1.model.SourcePersistence;
import dev.weir.rest.v1.model.TunnelEncapsulation;
import dev.weir.rest.v1.model.WhenAllUnhealthy;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Trees as answers spell them. */
final class RestTrees {
    private RestTrees() {}

    static LoadBalancer loadBalancer(
            dev.weir.db.loadbalancer.LoadBalancer row, LoadBalancerTree tree, List<Attachment> attachments) {
        LoadBalancer rest = new LoadBalancer()
                .id(ResourceId.LOAD_BALANCER.format(row.id()))
                .projectId(ResourceId.PROJECT.format(row.projectId()))
                .name(tree.name())
                .description(tree.description())
                .labels(tree.labels())
                .enabled(tree.enabled())
                .placement(placement(tree.placement()))
                .listeners(listeners(tree))
                .pools(tree.pools().stream().map(RestTrees::pool).toList())
                .vips(attachments.stream()
                        .map(attachment -> new AttachedVip()
                                .id(ResourceId.VIP.format(attachment.vipId()))
                                .address(attachment.address())
                                .claimSequence(attachment.claimSequence()))
                        .toList())
                .generation(row.generation())
                .createdAt(Times.of(row.createdAt()))
                .updatedAt(Times.of(row.updatedAt()))
                .deleteProtection(row.deleteProtection())
                .rollout(RolloutStrategy.fromValue(row.rollout()));
        Instant deletedAt = row.deletedAt();
        return deletedAt == null
                ? rest
                : rest.deletedAt(Times.of(deletedAt)).purgeAt(Times.of(deletedAt.plus(LoadBalancerWrites.UNDELETABLE)));
    }

    static RevisionTree revision(LoadBalancerTree tree) {
        return new RevisionTree()
                .name(tree.name())
                .description(tree.description())
                .labels(tree.labels())
                .enabled(tree.enabled())
                .placement(placement(tree.placement()))
                .listeners(listeners(tree))
                .pools(tree.pools().stream().map(RestTrees::pool).toList());
    }

    private static Placement placement(LoadBalancerTree.PlacementSpec placement) {
        return new Placement()
                .kind(PlacementKind.valueOf(placement.kind().name()))
                .popIds(placement.popIds().stream().map(ResourceId.POP::format).toList())
                .labels(placement.labels());
    }

    private static List<Listener> listeners(LoadBalancerTree tree) {
        Map<UUID, String> names = tree.pools().stream()
                .collect(Collectors.toMap(LoadBalancerTree.PoolSpec::id, LoadBalancerTree.PoolSpec::name));
        return tree.listeners().stream()
                .map(listener -> listener(listener, String.valueOf(names.get(listener.poolId()))))
                .toList();
    }

    static Listener listener(LoadBalancerTree tree, LoadBalancerTree.ListenerSpec listener) {
        return tree.pools().stream()
                .filter(pool -> pool.id().equals(listener.poolId()))
                .findFirst()
                .map(pool -> listener(listener, pool.name()))
                .orElseThrow();
    }

    private static Listener listener(LoadBalancerTree.ListenerSpec listener, String poolName) {
        LoadBalancerTree.SourcePersistenceSpec persistence = listener.sourcePersistence();
        return new Listener()
                .id(ResourceId.LISTENER.format(listener.id()))
                .name(listener.name())
                .protocol(Protocol.valueOf(listener.protocol().name()))
                .portRanges(listener.portRanges().stream()
                        .map(range -> new PortRange().first(range.first()).last(range.last()))
                        .toList())
                .poolId(ResourceId.POOL.format(listener.poolId()))
                .poolName(poolName)
                .flowTracking(FlowTracking.valueOf(listener.flowTracking().name()))
                .idleTimeoutS(listener.idleTimeoutS())
                .enabled(listener.enabled())
                .sourcePersistence(
                        persistence == null
                                ? null
                                : new SourcePersistence()
                                        .timeoutS(persistence.timeoutS())
                                        .ipv4PrefixLength(persistence.ipv4PrefixLength())
                                        .ipv6PrefixLength(persistence.ipv6PrefixLength()))
                .allowedCidrs(listener.allowedCidrs())
                .deniedCidrs(listener.deniedCidrs())
                .allowedPrefixListIds(prefixLists(listener.allowedPrefixListIds()))
                .deniedPrefixListIds(prefixLists(listener.deniedPrefixListIds()))
                .limits(limits(listener.limits()))
                .resetOnIdleTimeout(listener.resetOnIdleTimeout());
    }

    private static List<String> prefixLists(List<UUID> ids) {
        return ids.stream().map(ResourceId.PREFIX_LIST::format).toList();
    }

    private static @Nullable ListenerLimits limits(LoadBalancerTree.@Nullable ListenerLimitsSpec limits) {
        return limits == null
                ? null
                : new ListenerLimits()
                        .newFlowsPerS(limits.newFlowsPerS())
                        .activeFlows(limits.activeFlows())
                        .newFlowsPerSourcePerS(limits.newFlowsPerSourcePerS())
                        .activeFlowsPerSource(limits.activeFlowsPerSource());
    }

    static Pool pool(LoadBalancerTree.PoolSpec pool) {
        return new Pool()
                .id(ResourceId.POOL.format(pool.id()))
                .name(pool.name())
                .algorithm(Algorithm.valueOf(pool.algorithm().name()))
                .forwardingMode(ForwardingMode.valueOf(pool.forwardingMode().name()))
                .drainTimeoutS(pool.drainTimeoutS())
                .slowStartS(pool.slowStartS())
                .whenAllUnhealthy(
                        WhenAllUnhealthy.valueOf(pool.whenAllUnhealthy().name()))
                .onUnhealthy(OnUnhealthy.valueOf(pool.onUnhealthy().name()))
                .minimumHealthy(pool.minimumHealthy())
                .proxyProtocolV2(pool.proxyProtocolV2())
                .flowSync(pool.flowSync())
                .healthMonitor(monitor(pool.healthMonitor()))
                .members(pool.members().stream().map(RestTrees::member).toList())
                .tunnelEncapsulation(
                        pool.tunnelEncapsulation() == null
                                ? null
                                : TunnelEncapsulation.valueOf(
                                        pool.tunnelEncapsulation().name()))
                .tunnelPort(pool.tunnelPort());
    }

    static @Nullable HealthMonitor monitor(LoadBalancerTree.@Nullable HealthMonitorSpec monitor) {
        return monitor == null
                ? null
                : new HealthMonitor()
                        .id(ResourceId.HEALTH_MONITOR.format(monitor.id()))
                        .type(ProbeType.valueOf(monitor.type().name()))
                        .intervalMs(monitor.intervalMs())
                        .timeoutMs(monitor.timeoutMs())
                        .rise(monitor.rise())
                        .fall(monitor.fall())
                        .port(monitor.port())
                        .udpSend(monitor.udpSend())
                        .udpExpect(monitor.udpExpect());
    }

    static Member member(LoadBalancerTree.MemberSpec member) {
        return new Member()
                .id(ResourceId.MEMBER.format(member.id()))
                .name(member.name())
                .address(member.address())
                .port(new MemberPort()
                        .kind(MemberPortKind.valueOf(member.port().kind().name()))
                        .value(member.port().value()))
                .weight(member.weight())
                .enabled(member.enabled())
                .priority(member.priority())
                .popIds(member.popIds().stream().map(ResourceId.POP::format).toList());
    }
}
