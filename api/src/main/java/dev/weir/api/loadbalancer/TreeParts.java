// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.loadbalancer;

import dev.weir.api.access.Access;
import dev.weir.api.access.ProjectAccess;
import dev.weir.api.loadbalancer.LoadBalancerWrites.Found;
import dev.weir.api.web.ETags;
import dev.weir.api.web.FieldFault;
import dev.weir.api.web.Ids;
import dev.weir.api.web.ProblemException;
import dev.weir.compiler.LoadBalancerTree;
import dev.weir.compiler.LoadBalancerTree.ListenerSpec;
import dev.weir.compiler.LoadBalancerTree.MemberSpec;
import dev.weir.compiler.LoadBalancerTree.PoolSpec;
import dev.weir.compiler.ResourceId;
import dev.weir.db.project.ProjectRole;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Component;

/**
 * Writes single parts of a tree: under the load balancer's lock the newest tree is read, one part of it changed, and the
 * whole checked and stored like any other. Writers of different parts wait for each other and all succeed.
 */
@Component
final class TreeParts {
    private final Access access;
    private final LoadBalancerWrites writes;
    private final Ids ids;

    TreeParts(Access access, LoadBalancerWrites writes, Ids ids) {
        this.access = access;
        this.writes = writes;
        this.ids = ids;
    }

    /**
     * A change of one part.
     *
     * @param draft the whole tree after the change
     * @param at where the part is in it: faults below are told as of the request's body
     */
    record Change(Draft draft, String at) {}

    <T> T read(String projectId, String loadBalancerId, Function<LoadBalancerTree, T> work) {
        UUID id = Ids.path(ResourceId.LOAD_BALANCER, loadBalancerId);
        return access.read(
                projectId, in -> work.apply(writes.find(in.projectId(), id).tree()));
    }

    /**
     * Changes a part and answers what {@code answer} makes of the new tree.
     *
     * @param ifMatch the tag of {@code tagged}, or that of the whole tree
     * @param tagged what of the tree the caller must have seen; throws 404 if it is not there
     */
    <T> T write(
            String projectId,
            String loadBalancerId,
            ProjectRole needed,
            String action,
            @Nullable String ifMatch,
            Function<LoadBalancerTree, Object> tagged,
            BiFunction<LoadBalancerTree, TreeReader, Change> edit,
            Function<LoadBalancerTree, T> answer) {
        UUID id = Ids.path(ResourceId.LOAD_BALANCER, loadBalancerId);
        return access.write(projectId, needed, action, in -> answer.apply(change(in, id, ifMatch, tagged, edit)));
    }

    /** The same inside of a call that was let in already. */
    LoadBalancerTree change(
            ProjectAccess in,
            UUID id,
            @Nullable String ifMatch,
            Function<LoadBalancerTree, Object> tagged,
            BiFunction<LoadBalancerTree, TreeReader, Change> edit) {
        Found current = writes.lock(in.projectId(), id);
        Object seen = tagged.apply(current.tree());
        ETags.check(ifMatch, SpecTag.of(seen), ETags.of(current.row().generation()));
        Change change = edit.apply(current.tree(), new TreeReader(ids, current.tree()));
        try {
            return writes.replace(in, current, change.draft()).tree();
        } catch (ProblemException e) {
            throw inBody(e, change.at());
        }
    }

    private static ProblemException inBody(ProblemException e, String at) {
        if (e.faults().isEmpty() || at.isEmpty()) {
            return e;
        }
        return new ProblemException(
                e.code(),
                e.getMessage(),
                e.faults().stream()
                        .map(fault -> fault.pointer().startsWith(at)
                                ? new FieldFault(fault.pointer().substring(at.length()), fault.code(), fault.detail())
                                : fault)
                        .toList());
    }

    static PoolSpec pool(LoadBalancerTree tree, UUID id) {
        return tree.pools().stream()
                .filter(pool -> pool.id().equals(id))
                .findFirst()
                .orElseThrow(ProblemException::notFound);
    }

    static ListenerSpec listener(LoadBalancerTree tree, UUID id) {
        return tree.listeners().stream()
                .filter(listener -> listener.id().equals(id))
                .findFirst()
                .orElseThrow(ProblemException::notFound);
    }

    static MemberSpec member(LoadBalancerTree tree, UUID poolId, UUID id) {
        return pool(tree, poolId).members().stream()
                .filter(member -> member.id().equals(id))
                .findFirst()
                .orElseThrow(ProblemException::notFound);
    }

    /** The tree with a new or changed listener, which comes last: what contradicts another is told of this one. */
    static Change withListener(LoadBalancerTree tree, TreeReader reader, ListenerSpec changed, boolean poolByName) {
        List<ListenerSpec> listeners = new ArrayList<>(tree.listeners());
        listeners.removeIf(listener -> listener.id().equals(changed.id()));
        listeners.add(changed);
        List<Boolean> byName = new ArrayList<>();
        listeners.forEach(listener -> byName.add(poolByName && listener == changed));
        return new Change(
                new Draft(with(tree, listeners, tree.pools()), reader.faults(), byName),
                "/listeners/" + (listeners.size() - 1));
    }

    /** The tree with a new or changed pool, which comes last. */
    static Change withPool(LoadBalancerTree tree, TreeReader reader, PoolSpec changed) {
        List<PoolSpec> pools = new ArrayList<>(tree.pools());
        pools.removeIf(pool -> pool.id().equals(changed.id()));
        pools.add(changed);
        return new Change(
                Draft.of(with(tree, tree.listeners(), pools), reader.faults()), "/pools/" + (pools.size() - 1));
    }

    static LoadBalancerTree with(LoadBalancerTree tree, List<ListenerSpec> listeners, List<PoolSpec> pools) {
        return new LoadBalancerTree(
                tree.loadBalancerId(),
                tree.projectId(),
                tree.tenantId(),
                tree.name(),
                tree.description(),
                tree.labels(),
                tree.enabled(),
                tree.placement(),
                listeners,
                pools);
    }
}
