// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.loadbalancer;

import dev.weir.api.web.FieldFault;
import dev.weir.compiler.LoadBalancerTree;
import dev.weir.compiler.LoadBalancerTree.ListenerSpec;
import dev.weir.compiler.LoadBalancerTree.MemberSpec;
import dev.weir.compiler.LoadBalancerTree.PlacementSpec;
import dev.weir.compiler.LoadBalancerTree.PoolSpec;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;

/**
 * A tree that somebody asks for, before it is checked.
 *
 * @param tree its lists in the order of the request, so that faults point into the request
 * @param faults found while reading it
 * @param poolsByName for each listener, whether the request names its pool by name
 */
record Draft(LoadBalancerTree tree, List<FieldFault> faults, List<Boolean> poolsByName) {

    Draft {
        faults = List.copyOf(faults);
        poolsByName = List.copyOf(poolsByName);
    }

    /** A tree made from one that was checked before; whoever asked named nothing by name. */
    static Draft of(LoadBalancerTree tree) {
        return of(tree, List.of());
    }

    static Draft of(LoadBalancerTree tree, List<FieldFault> faults) {
        return new Draft(
                tree, faults, tree.listeners().stream().map(listener -> false).toList());
    }

    /** The tree as it is kept: in an order that does not depend on the request. */
    LoadBalancerTree sorted() {
        return new LoadBalancerTree(
                tree.loadBalancerId(),
                tree.projectId(),
                tree.tenantId(),
                tree.name(),
                tree.description(),
                tree.labels(),
                tree.enabled(),
                new PlacementSpec(
                        tree.placement().kind(),
                        sorted(tree.placement().popIds()),
                        tree.placement().labels()),
                tree.listeners().stream()
                        .sorted(Comparator.comparing(ListenerSpec::name))
                        .toList(),
                tree.pools().stream()
                        .map(Draft::sorted)
                        .sorted(Comparator.comparing(PoolSpec::name))
                        .toList());
    }

    private static PoolSpec sorted(PoolSpec pool) {
        return withMembers(
                pool,
                pool.members().stream()
                        .map(Draft::sorted)
                        .sorted(Comparator.comparing(member -> member.id().toString()))
                        .toList());
    }

    private static MemberSpec sorted(MemberSpec member) {
        return new MemberSpec(
                member.id(),
                member.name(),
                member.address(),
                member.port(),
                member.weight(),
                member.enabled(),
                member.priority(),
                sorted(member.popIds()));
    }

    private static List<UUID> sorted(List<UUID> ids) {
        return ids.stream().sorted(Comparator.comparing(UUID::toString)).toList();
    }

    static PoolSpec withMembers(PoolSpec pool, List<MemberSpec> members) {
        return pool.withMembers(members);
    }
}
