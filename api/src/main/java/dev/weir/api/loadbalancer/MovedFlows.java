// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.loadbalancer;

import dev.weir.compiler.LoadBalancerTree.AlgorithmKind;
import dev.weir.compiler.LoadBalancerTree.MemberSpec;
import dev.weir.compiler.LoadBalancerTree.PoolSpec;
import dev.weir.compiler.MaglevTable;
import dev.weir.compiler.MaglevTable.Candidate;
import dev.weir.compiler.MaglevTableSize;
import dev.weir.compiler.ResourceId;
import dev.weir.rest.v1.model.PoolValidation;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The share of a pool's new flows that go to another member after a change: the slots of its Maglev tables that change,
 * as if all members were healthy, averaged over PoPs and families.
 */
final class MovedFlows {
    private MovedFlows() {}

    /**
     * @param before null: the pool is new
     * @param size slots of its table now; 0: not known
     */
    static PoolValidation of(@Nullable PoolSpec before, PoolSpec after, int size, Collection<UUID> pops) {
        PoolValidation answer = new PoolValidation()
                .poolId(ResourceId.POOL.format(after.id()))
                .poolName(after.name())
                .newFlowsMoved(null);
        if (before == null) {
            return answer.reason("The pool is new.");
        }
        if (!byTable(before) || !byTable(after)) {
            return answer.reason("With the algorithm %s no table decides."
                    .formatted(
                            (byTable(after) ? before : after).algorithm().name().toLowerCase(java.util.Locale.ROOT)));
        }
        if (pops.isEmpty()) {
            return answer.reason("The load balancer is placed in no PoP.");
        }
        int sizeBefore = MaglevTableSize.choose(before.members().size(), size);
        int sizeAfter = MaglevTableSize.choose(after.members().size(), sizeBefore);
        double sum = 0;
        int tables = 0;
        Map<List<List<Candidate>>, Double> known = new HashMap<>();
        for (UUID pop : pops) {
            for (boolean ipv6 : new boolean[] {false, true}) {
                List<Candidate> old = candidates(before, pop, ipv6);
                List<Candidate> now = candidates(after, pop, ipv6);
                if (!old.isEmpty() || !now.isEmpty()) {
                    sum += known.computeIfAbsent(List.of(old, now), pair -> moved(old, sizeBefore, now, sizeAfter));
                    tables++;
                }
            }
        }
        return answer.newFlowsMoved(tables == 0 ? 0.0 : Math.round(sum / tables * 10_000) / 10_000.0);
    }

    private static boolean byTable(PoolSpec pool) {
        return pool.algorithm() == AlgorithmKind.MAGLEV || pool.algorithm() == AlgorithmKind.SOURCE_IP_HASH;
    }

    /** Those that serve: the lowest tiers that together have the pool's minimum. */
    private static List<Candidate> candidates(PoolSpec pool, UUID pop, boolean ipv6) {
        List<MemberSpec> here = pool.members().stream()
                .filter(member -> member.address().contains(":") == ipv6)
                .filter(member -> member.popIds().isEmpty() || member.popIds().contains(pop))
                .toList();
        int last = here.stream()
                .filter(MovedFlows::takesFlows)
                .map(MemberSpec::priority)
                .sorted()
                .limit(pool.minimumHealthy())
                .reduce(0, Math::max);
        return here.stream()
                .filter(member -> member.priority() <= last)
                .map(member ->
                        new Candidate(ResourceId.MEMBER.format(member.id()), takesFlows(member) ? member.weight() : 0))
                .toList();
    }

    private static boolean takesFlows(MemberSpec member) {
        return member.enabled() && member.weight() > 0;
    }

    private static double moved(List<Candidate> old, int oldSize, List<Candidate> now, int newSize) {
        MaglevTable before = MaglevTable.build(oldSize, old);
        MaglevTable after = MaglevTable.build(newSize, now);
        if (oldSize == newSize) {
            int changed = 0;
            for (int slot = 0; slot < oldSize; slot++) {
                if (!id(before, old, slot).equals(id(after, now, slot))) {
                    changed++;
                }
            }
            return (double) changed / oldSize;
        }
        // Sizes are different primes, so a flow's slot in one says nothing about its slot in the other.
        Map<String, Double> shares = shares(before, old);
        double stays = shares(after, now).entrySet().stream()
                .mapToDouble(share -> share.getValue() * shares.getOrDefault(share.getKey(), 0.0))
                .sum();
        return 1 - stays;
    }

    private static Map<String, Double> shares(MaglevTable table, List<Candidate> candidates) {
        Map<String, Double> shares = new HashMap<>();
        for (int slot = 0; slot < table.size(); slot++) {
            shares.merge(id(table, candidates, slot), 1.0 / table.size(), Double::sum);
        }
        return shares;
    }

    private static String id(MaglevTable table, List<Candidate> candidates, int slot) {
        int index = table.slot(slot);
        return index == MaglevTable.EMPTY ? "" : candidates.get(index).id();
    }
}
