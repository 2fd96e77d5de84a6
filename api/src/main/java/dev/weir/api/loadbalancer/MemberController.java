// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.loadbalancer;

import dev.weir.api.access.Access;
import dev.weir.api.access.ProjectAccess;
import dev.weir.api.loadbalancer.TreeParts.Change;
import dev.weir.api.web.FieldFault;
import dev.weir.api.web.IdempotentCalls;
import dev.weir.api.web.Ids;
import dev.weir.api.web.MergePatch;
import dev.weir.api.web.Pages;
import dev.weir.api.web.ProblemException;
import dev.weir.compiler.LoadBalancerTree;
import dev.weir.compiler.LoadBalancerTree.MemberSpec;
import dev.weir.compiler.LoadBalancerTree.PoolSpec;
import dev.weir.compiler.ResourceId;
import dev.weir.db.project.ProjectRole;
import dev.weir.rest.v1.MembersApi;
import dev.weir.rest.v1.model.Member;
import dev.weir.rest.v1.model.MemberBatch;
import dev.weir.rest.v1.model.MemberList;
import dev.weir.rest.v1.model.MemberPage;
import dev.weir.rest.v1.model.MemberRemoval;
import dev.weir.rest.v1.model.MemberUpdate;
import java.net.URI;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.function.BiFunction;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.RestController;

/** Members, one by one and in batches. Each call is a small change of the load balancer's tree. */
@RestController
final class MemberController implements MembersApi {
    /** What a maintainer may change. */
    private static final Set<String> MAINTAINED = Set.of("weight", "enabled");

    private final Access access;
    private final IdempotentCalls idempotent;
    private final TreeParts parts;
    private final MergePatch patches;

    MemberController(Access access, IdempotentCalls idempotent, TreeParts parts, MergePatch patches) {
        this.access = access;
        this.idempotent = idempotent;
        this.parts = parts;
        this.patches = patches;
    }

    @Override
    public ResponseEntity<MemberPage> listMembers(
            String projectId, String loadBalancerId, String poolId, Integer limit, @Nullable String cursor) {
        UUID pool = Ids.path(ResourceId.POOL, poolId);
        return parts.read(projectId, loadBalancerId, tree -> {
            PoolSpec found = TreeParts.pool(tree, pool);
            String after = Pages.afterId(cursor).toString();
            Pages<MemberSpec> page = Pages.of(
                    found.members().stream()
                            .filter(member -> member.id().toString().compareTo(after) > 0)
                            .limit(Pages.rows(limit))
                            .toList(),
                    limit,
                    member -> member.id().toString());
            return ResponseEntity.ok()
                    .eTag(SpecTag.of(found.members()))
                    .body(new MemberPage()
                            .items(page.items().stream().map(RestTrees::member).toList())
                            .nextCursor(page.nextCursor()));
        });
    }

    @Override
    public ResponseEntity<Member> getMember(String projectId, String loadBalancerId, String poolId, String memberId) {
        UUID pool = Ids.path(ResourceId.POOL, poolId);
        UUID member = Ids.path(ResourceId.MEMBER, memberId);
        return parts.read(projectId, loadBalancerId, tree -> answer(tree, pool, member));
    }

    @Override
    public ResponseEntity<Member> addMember(
            String projectId,
            String loadBalancerId,
            String poolId,
            dev.weir.rest.v1.model.MemberSpec body,
            @Nullable String idempotencyKey) {
        UUID id = Ids.path(ResourceId.LOAD_BALANCER, loadBalancerId);
        UUID pool = Ids.path(ResourceId.POOL, poolId);
        return access.write(
                projectId,
                ProjectRole.EDITOR,
                "addMember",
                in -> idempotent.run(
                        in.projectId(), in.subject(), idempotencyKey, Member.class, () -> add(in, id, pool, body)));
    }

    private ResponseEntity<Member> add(ProjectAccess in, UUID id, UUID poolId, dev.weir.rest.v1.model.MemberSpec body) {
        requireNew(body.getId());
        List<UUID> added = new ArrayList<>();
        LoadBalancerTree tree = parts.change(in, id, null, seen -> TreeParts.pool(seen, poolId), (current, reader) -> {
            MemberSpec member = reader.member(body, "");
            added.add(member.id());
            return withLast(current, reader, poolId, member);
        });
        Member answer = RestTrees.member(TreeParts.member(tree, poolId, added.getFirst()));
        URI location = URI.create("/v1/projects/%s/load-balancers/%s/pools/%s/members/%s"
                .formatted(
                        ResourceId.PROJECT.format(in.projectId()),
                        ResourceId.LOAD_BALANCER.format(id),
                        ResourceId.POOL.format(poolId),
                        answer.getId()));
        return ResponseEntity.created(location)
                .eTag(SpecTag.of(TreeParts.member(tree, poolId, added.getFirst())))
                .body(answer);
    }

    static void requireNew(@Nullable String id) {
        if (id != null) {
            throw ProblemException.refused(
                    List.of(new FieldFault("/id", "NOT_ALLOWED", "A new one gets its id from the service.")));
        }
    }

    /** The tree with a new or changed member, the last of its pool. */
    private static Change withLast(LoadBalancerTree tree, TreeReader reader, UUID poolId, MemberSpec member) {
        PoolSpec pool = TreeParts.pool(tree, poolId);
        List<MemberSpec> members = new ArrayList<>(pool.members());
        members.removeIf(other -> other.id().equals(member.id()));
        members.add(member);
        Change change = TreeParts.withPool(tree, reader, pool.withMembers(members));
        return new Change(change.draft(), change.at() + "/members/" + (members.size() - 1));
    }

    @Override
    public ResponseEntity<Member> updateMember(
            String projectId,
            String loadBalancerId,
            String poolId,
            String memberId,
            MemberUpdate body,
            @Nullable String ifMatch) {
        UUID pool = Ids.path(ResourceId.POOL, poolId);
        UUID member = Ids.path(ResourceId.MEMBER, memberId);
        ProjectRole needed = MAINTAINED.containsAll(patches.properties()) ? ProjectRole.MAINTAINER : ProjectRole.EDITOR;
        return parts.write(
                projectId,
                loadBalancerId,
                needed,
                "updateMember",
                ifMatch,
                tree -> TreeParts.member(tree, pool, member),
                (tree, reader) -> {
                    MemberSpec before = TreeParts.member(tree, pool, member);
                    dev.weir.rest.v1.model.MemberSpec after = patches.apply(
                            RestTrees.member(before), List.of("id"), dev.weir.rest.v1.model.MemberSpec.class);
                    return withLast(tree, reader, pool, reader.member(after, before, ""));
                },
                tree -> answer(tree, pool, member));
    }

    @Override
    public ResponseEntity<Void> removeMember(
            String projectId, String loadBalancerId, String poolId, String memberId, @Nullable String ifMatch) {
        UUID pool = Ids.path(ResourceId.POOL, poolId);
        UUID member = Ids.path(ResourceId.MEMBER, memberId);
        return parts.write(
                projectId,
                loadBalancerId,
                ProjectRole.EDITOR,
                "removeMember",
                ifMatch,
                tree -> TreeParts.member(tree, pool, member),
                (tree, reader) -> without(tree, reader, pool, Set.of(member)),
                tree -> ResponseEntity.noContent().build());
    }

    private static Change without(LoadBalancerTree tree, TreeReader reader, UUID poolId, Set<UUID> gone) {
        PoolSpec pool = TreeParts.pool(tree, poolId);
        List<MemberSpec> rest = pool.members().stream()
                .filter(member -> !gone.contains(member.id()))
                .toList();
        return new Change(
                TreeParts.withPool(tree, reader, pool.withMembers(rest)).draft(), "");
    }

    @Override
    public ResponseEntity<MemberList> replaceMembers(
            String projectId, String loadBalancerId, String poolId, MemberBatch body, @Nullable String ifMatch) {
        UUID pool = Ids.path(ResourceId.POOL, poolId);
        return parts.write(
                projectId,
                loadBalancerId,
                ProjectRole.EDITOR,
                "replaceMembers",
                ifMatch,
                tree -> TreeParts.pool(tree, pool).members(),
                (tree, reader) -> batch(tree, reader, pool, body, false),
                tree -> list(tree, pool));
    }

    @Override
    public ResponseEntity<MemberList> addMembers(
            String projectId, String loadBalancerId, String poolId, MemberBatch body, @Nullable String idempotencyKey) {
        UUID pool = Ids.path(ResourceId.POOL, poolId);
        return inBatch(
                projectId,
                loadBalancerId,
                pool,
                "addMembers",
                idempotencyKey,
                (tree, reader) -> batch(tree, reader, pool, body, true));
    }

    @Override
    public ResponseEntity<MemberList> removeMembers(
            String projectId,
            String loadBalancerId,
            String poolId,
            MemberRemoval body,
            @Nullable String idempotencyKey) {
        UUID pool = Ids.path(ResourceId.POOL, poolId);
        return inBatch(
                projectId,
                loadBalancerId,
                pool,
                "removeMembers",
                idempotencyKey,
                (tree, reader) -> without(tree, reader, pool, known(tree, pool, body.getMemberIds())));
    }

    private ResponseEntity<MemberList> inBatch(
            String projectId,
            String loadBalancerId,
            UUID pool,
            String action,
            @Nullable String idempotencyKey,
            BiFunction<LoadBalancerTree, TreeReader, Change> edit) {
        UUID id = Ids.path(ResourceId.LOAD_BALANCER, loadBalancerId);
        return access.write(
                projectId,
                ProjectRole.EDITOR,
                action,
                in -> idempotent.run(
                        in.projectId(),
                        in.subject(),
                        idempotencyKey,
                        MemberList.class,
                        () -> list(parts.change(in, id, null, tree -> TreeParts.pool(tree, pool), edit), pool)));
    }

    private static Set<UUID> known(LoadBalancerTree tree, UUID poolId, Collection<String> named) {
        Set<UUID> known = TreeParts.pool(tree, poolId).members().stream()
                .map(MemberSpec::id)
                .collect(Collectors.toSet());
        List<String> texts = List.copyOf(named);
        Set<UUID> gone = new HashSet<>();
        List<FieldFault> faults = new ArrayList<>();
        for (int i = 0; i < texts.size(); i++) {
            String text = texts.get(i);
            if (ResourceId.MEMBER.matches(text) && known.contains(ResourceId.MEMBER.parse(text))) {
                gone.add(ResourceId.MEMBER.parse(text));
            } else {
                faults.add(new FieldFault("/member_ids/" + i, "NOT_FOUND", "the pool has no such member"));
            }
        }
        if (!faults.isEmpty()) {
            throw ProblemException.refused(faults);
        }
        return gone;
    }

    /** @param keepOthers whether members that the batch does not name stay */
    private static Change batch(
            LoadBalancerTree tree, TreeReader reader, UUID poolId, MemberBatch body, boolean keepOthers) {
        PoolSpec pool = TreeParts.pool(tree, poolId);
        List<MemberSpec> named = reader.members(body.getMembers(), pool, "/members");
        List<MemberSpec> members = new ArrayList<>(named);
        if (keepOthers) {
            Set<UUID> ids = named.stream().map(MemberSpec::id).collect(Collectors.toSet());
            // After those of the batch, so that faults point into the request.
            pool.members().stream().filter(member -> !ids.contains(member.id())).forEach(members::add);
        }
        return TreeParts.withPool(tree, reader, pool.withMembers(members));
    }

    private static ResponseEntity<MemberList> list(LoadBalancerTree tree, UUID poolId) {
        List<MemberSpec> members = TreeParts.pool(tree, poolId).members();
        return ResponseEntity.ok()
                .eTag(SpecTag.of(members))
                .body(new MemberList()
                        .members(members.stream().map(RestTrees::member).toList()));
    }

    private static ResponseEntity<Member> answer(LoadBalancerTree tree, UUID poolId, UUID memberId) {
        MemberSpec member = TreeParts.member(tree, poolId, memberId);
        return ResponseEntity.ok().eTag(SpecTag.of(member)).body(RestTrees.member(member));
    }
}
