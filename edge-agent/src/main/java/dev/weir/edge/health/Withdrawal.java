// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.health;

import dev.weir.messages.v1.Listener;
import dev.weir.messages.v1.LoadBalancerConfig;
import dev.weir.messages.v1.Pool;
import dev.weir.messages.v1.WhenAllUnhealthy;
import java.util.Optional;
import java.util.Set;

/** Whether the health of a load balancer's members takes its VIPs off this node. Pure. */
public final class Withdrawal {
    private Withdrawal() {}

    /** Only if every enabled listener's pool asks for it and has no healthy member that takes flows. */
    public static boolean wanted(LoadBalancerConfig config, Set<String> unhealthyMembers) {
        boolean any = false;
        for (Listener listener : config.getListenersList()) {
            if (!listener.getEnabled()) {
                continue;
            }
            any = true;
            Optional<Pool> pool = config.getPoolsList().stream()
                    .filter(one -> one.getPoolId().equals(listener.getPoolId()))
                    .findFirst();
            if (pool.isEmpty() || !asks(pool.get(), unhealthyMembers)) {
                return false;
            }
        }
        return any;
    }

    private static boolean asks(Pool pool, Set<String> unhealthyMembers) {
        return pool.getWhenAllUnhealthy() == WhenAllUnhealthy.WHEN_ALL_UNHEALTHY_WITHDRAW_VIP
                && pool.getMembersList().stream()
                        .noneMatch(member -> member.getEnabled()
                                && member.getWeight() > 0
                                && !unhealthyMembers.contains(member.getMemberId()));
    }
}
