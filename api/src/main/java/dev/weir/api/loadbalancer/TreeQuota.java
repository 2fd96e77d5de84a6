// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.loadbalancer;

import dev.weir.api.quota.Quotas.Added;
import dev.weir.compiler.LoadBalancerTree;
import dev.weir.db.quota.ProjectQuotas.Resource;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a change of a tree adds to its project. */
final class TreeQuota {
    private TreeQuota() {}

    /** @param before null: the load balancer is new */
    static List<Added> added(@Nullable LoadBalancerTree before, LoadBalancerTree after) {
        return List.of(
                new Added(Resource.LOAD_BALANCERS, before == null ? 1 : 0, ""),
                new Added(
                        Resource.LISTENERS,
                        after.listeners().size()
                                - (before == null ? 0 : before.listeners().size()),
                        "/listeners"),
                new Added(
                        Resource.POOLS,
                        after.pools().size()
                                - (before == null ? 0 : before.pools().size()),
                        "/pools"),
                new Added(Resource.MEMBERS, members(after) - (before == null ? 0 : members(before)), "/pools"));
    }

    private static int members(LoadBalancerTree tree) {
        return tree.pools().stream().mapToInt(pool -> pool.members().size()).sum();
    }
}
