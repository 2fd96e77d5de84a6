// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.drain;

import dev.weir.api.web.Times;
import dev.weir.compiler.LoadBalancerTree;
import dev.weir.compiler.LoadBalancerTree.PoolSpec;
import dev.weir.compiler.ResourceId;
import dev.weir.db.overlay.OverlayRows.Entry;
import dev.weir.db.rollout.MemberStatusRows.Seen;
import dev.weir.rest.v1.model.Drain;
import dev.weir.rest.v1.model.Shift;
import java.util.List;
import java.util.UUID;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A load balancer's drains and shifts, with the flows that nodes still see. Pure. */
public final class OverlayView {
    private final LoadBalancerTree tree;
    private final List<Entry> entries;
    private final List<Seen> seen;

    /**
     * @param entries those in force
     * @param seen    by the nodes that can be reached
     */
    public OverlayView(LoadBalancerTree tree, List<Entry> entries, List<Seen> seen) {
        this.tree = tree;
        this.entries = List.copyOf(entries);
        this.seen = List.copyOf(seen);
    }

    /** Of members that are still in the tree. */
    public List<Drain> drains() {
        return entries.stream().flatMap(this::drain).toList();
    }

    private Stream<Drain> drain(Entry entry) {
        UUID member = entry.memberId();
        if (member == null) {
            return Stream.empty();
        }
        return tree.pools().stream()
                .filter(pool -> has(pool, member))
                .map(pool -> new Drain()
                        .memberId(ResourceId.MEMBER.format(member))
                        .poolId(ResourceId.POOL.format(pool.id()))
                        .until(Times.of(entry.endsAt()))
                        .since(Times.of(entry.createdAt()))
                        .activeFlows(flows(row -> row.memberId().equals(member))));
    }

    private static boolean has(PoolSpec pool, UUID member) {
        return pool.members().stream().anyMatch(one -> one.id().equals(member));
    }

    public List<Shift> shifts() {
        return entries.stream().flatMap(this::shift).toList();
    }

    private Stream<Shift> shift(Entry entry) {
        return Stream.ofNullable(entry.popId())
                .map(pop -> new Shift()
                        .popId(ResourceId.POP.format(pop))
                        .until(Times.of(entry.endsAt()))
                        .since(Times.of(entry.createdAt()))
                        .activeFlows(flows(row -> row.popId().equals(pop))));
    }

    /** Null: no node has said anything. */
    private @Nullable Long flows(Predicate<Seen> of) {
        List<Seen> rows = seen.stream().filter(of).toList();
        return rows.isEmpty()
                ? null
                : Long.valueOf(rows.stream().mapToLong(Seen::activeFlows).sum());
    }
}
