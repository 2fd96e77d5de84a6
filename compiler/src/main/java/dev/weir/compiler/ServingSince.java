// SPDX-License-Identifier: Apache-2.0
package dev.weir.compiler;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Since when the specification lets each member take new flows. All nodes count a slow start from there, so it is
 * decided once, where a configuration is published, and handed on from one published configuration to the next.
 */
public final class ServingSince {
    private ServingSince() {}

    /**
     * @param before of the configuration that was published last, empty where there was none; null: it did not say, and
     *     then all members count as old
     * @param committedAt of the generation that the tree belongs to
     * @return Unix time in microseconds, 0: for long; by id of each member that may take new flows
     */
    public static Map<UUID, Long> of(LoadBalancerTree tree, @Nullable Map<UUID, Long> before, Instant committedAt) {
        long now = ChronoUnit.MICROS.between(Instant.EPOCH, committedAt);
        Map<UUID, Long> since = new HashMap<>();
        for (LoadBalancerTree.PoolSpec pool : tree.pools()) {
            for (LoadBalancerTree.MemberSpec member : pool.members()) {
                if (member.enabled() && member.weight() > 0) {
                    since.put(member.id(), before == null ? 0 : before.getOrDefault(member.id(), now));
                }
            }
        }
        return since;
    }
}
