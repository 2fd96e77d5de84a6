// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.loadbalancer;

import dev.weir.compiler.LoadBalancerTree;
import dev.weir.compiler.LoadBalancerTree.PoolSpec;
import dev.weir.compiler.Placement;
import dev.weir.compiler.PopSite;
import dev.weir.compiler.ResourceId;
import dev.weir.db.pop.FleetRows;
import dev.weir.db.pop.PopRepository;
import dev.weir.db.rollout.RolloutRows;
import dev.weir.rest.v1.model.Validation;
import dev.weir.rest.v1.model.ValidationNode;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Component;

/** Says what a change would do, for calls with {@code validate_only}. */
@Component
final class Validations {
    private final TreeChanges changes;
    private final PopRepository pops;
    private final FleetRows fleet;
    private final RolloutRows rollouts;

    Validations(TreeChanges changes, PopRepository pops, FleetRows fleet, RolloutRows rollouts) {
        this.changes = changes;
        this.pops = pops;
        this.fleet = fleet;
        this.rollouts = rollouts;
    }

    /** @param before null: the load balancer is new */
    Validation of(@Nullable LoadBalancerTree before, LoadBalancerTree after) {
        if (after.equals(before)) {
            return new Validation().changes(List.of()).nodes(List.of()).pools(List.of());
        }
        List<PopSite> sites = pops.findByDeletedAtIsNull().stream()
                .map(pop -> new PopSite(pop.id(), pop.name(), pop.labels(), Set.of()))
                .toList();
        Set<UUID> placed = Placement.popIds(after.placement(), sites);
        Set<UUID> touched = new TreeSet<>(placed);
        if (before != null) {
            touched.addAll(Placement.popIds(before.placement(), sites));
        }
        return new Validation()
                .changes(changes.between(before, after))
                .nodes(nodes(touched))
                .pools(pools(before, after, placed));
    }

    private List<ValidationNode> nodes(Collection<UUID> popIds) {
        return fleet.nodesOf(popIds).stream()
                .map(node -> new ValidationNode()
                        .nodeId(ResourceId.NODE.format(node.nodeId()))
                        .nodeName(node.nodeName())
                        .popId(ResourceId.POP.format(node.popId()))
                        .popName(node.popName()))
                .toList();
    }

    private List<dev.weir.rest.v1.model.PoolValidation> pools(
            @Nullable LoadBalancerTree before, LoadBalancerTree after, Set<UUID> placed) {
        Map<UUID, PoolSpec> old = before == null
                ? Map.of()
                : before.pools().stream().collect(Collectors.toMap(PoolSpec::id, Function.identity()));
        Map<UUID, Integer> sizes = rollouts.maglevTableSizes(after.projectId(), after.loadBalancerId());
        return after.pools().stream()
                .map(pool -> MovedFlows.of(old.get(pool.id()), pool, sizes.getOrDefault(pool.id(), 0), placed))
                .toList();
    }
}
