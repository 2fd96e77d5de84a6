// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.loadbalancer;

import dev.weir.api.access.Access;
import dev.weir.api.access.ProjectAccess;
import dev.weir.api.loadbalancer.LoadBalancerWrites.Found;
import dev.weir.api.web.ETags;
import dev.weir.api.web.FieldFault;
import dev.weir.api.web.IdempotentCalls;
import dev.weir.api.web.Ids;
import dev.weir.api.web.ProblemException;
import dev.weir.compiler.LoadBalancerTree;
import dev.weir.compiler.LoadBalancerTree.MemberSpec;
import dev.weir.compiler.LoadBalancerTree.PoolSpec;
import dev.weir.compiler.ResourceId;
import dev.weir.db.project.ProjectRole;
import dev.weir.rest.v1.MembersApi;
import dev.weir.rest.v1.model.Member;
import dev.weir.rest.v1.model.MemberUpdate;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.RestController;

/** Single members. Each call is a small change of the load balancer's tree. */
@RestController
final class MemberController implements MembersApi {
    private final Access access;
    private final IdempotentCalls idempotent;
    private final LoadBalancerWrites writes;
    private final Ids ids;

    MemberController(Access access, IdempotentCalls idempotent, LoadBalancerWrites writes, Ids ids) {
        this.access = access;
        this.idempotent = idempotent;
        this.writes = writes;
        this.ids = ids;
    }

    @Override
    public ResponseEntity<Member> getMember(String projectId, String loadBalancerId, String poolId, String memberId) {
        UUID id = Ids.path(ResourceId.LOAD_BALANCER, loadBalancerId);
        UUID pool = Ids.path(ResourceId.POOL, poolId);
        UUID member = Ids.path(ResourceId.MEMBER, memberId);
        return access.read(projectId, in -> answer(writes.find(in.projectId(), id), pool, member));
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
        if (body.getId() != null) {
            throw ProblemException.refused(
                    List.of(new FieldFault("/id", "NOT_ALLOWED", "A new member gets its id from the service.")));
        }
        Found current = writes.lock(in.projectId(), id);
        int p = poolIndex(current.tree(), poolId);
        TreeReader reader = new TreeReader(ids, current.tree());
        MemberSpec member = reader.member(body, "");
        LoadBalancerTree tree = withMembers(current.tree(), poolId, members -> {
            List<MemberSpec> more = new ArrayList<>(members);
            more.add(member);
            return more;
        });
        int m = tree.pools().get(p).members().size() - 1;
        Found found = inBody(
                "/pools/%d/members/%d".formatted(p, m),
                () -> writes.replace(in, current, Draft.of(tree, reader.faults())));
        Member answer = RestTrees.member(member);
        URI location = URI.create("/v1/projects/%s/load-balancers/%s/pools/%s/members/%s"
                .formatted(
                        ResourceId.PROJECT.format(in.projectId()),
                        ResourceId.LOAD_BALANCER.format(id),
                        ResourceId.POOL.format(poolId),
                        answer.getId()));
        return ResponseEntity.created(location)
                .eTag(ETags.of(found.row().generation()))
                .body(answer);
    }

    /** The request is one member of the tree: faults point into the request. */
    private static Found inBody(String at, java.util.function.Supplier<Found> write) {
        try {
            return write.get();
        } catch (ProblemException e) {
            if (e.faults().isEmpty()) {
                throw e;
            }
            throw ProblemException.refused(e.faults().stream()
                    .map(fault -> fault.pointer().startsWith(at)
                            ? new FieldFault(fault.pointer().substring(at.length()), fault.code(), fault.detail())
                            : fault)
                    .toList());
        }
    }

    @Override
    public ResponseEntity<Member> updateMember(
            String projectId,
            String loadBalancerId,
            String poolId,
            String memberId,
            MemberUpdate body,
            @Nullable String ifMatch) {
        UUID id = Ids.path(ResourceId.LOAD_BALANCER, loadBalancerId);
        UUID pool = Ids.path(ResourceId.POOL, poolId);
        UUID member = Ids.path(ResourceId.MEMBER, memberId);
        return access.write(projectId, ProjectRole.MAINTAINER, "updateMember", in -> {
            Found current = writes.lock(in.projectId(), id);
            MemberSpec before = member(current.tree(), pool, member);
            ETags.check(ifMatch, current.row().generation());
            MemberSpec after = new MemberSpec(
                    before.id(),
                    before.name(),
                    before.address(),
                    before.port(),
                    body.getWeight() == null ? before.weight() : body.getWeight(),
                    body.getEnabled() == null ? before.enabled() : body.getEnabled(),
                    before.priority(),
                    before.popIds());
            LoadBalancerTree tree = withMembers(
                    current.tree(),
                    pool,
                    members -> members.stream()
                            .map(other -> other.id().equals(member) ? after : other)
                            .toList());
            return answer(writes.replace(in, current, Draft.of(tree)), pool, member);
        });
    }

    @Override
    public ResponseEntity<Void> removeMember(
            String projectId, String loadBalancerId, String poolId, String memberId, @Nullable String ifMatch) {
        UUID id = Ids.path(ResourceId.LOAD_BALANCER, loadBalancerId);
        UUID pool = Ids.path(ResourceId.POOL, poolId);
        UUID member = Ids.path(ResourceId.MEMBER, memberId);
        return access.write(projectId, ProjectRole.EDITOR, "removeMember", in -> {
            Found current = writes.lock(in.projectId(), id);
            MemberSpec gone = member(current.tree(), pool, member);
            ETags.check(ifMatch, current.row().generation());
            LoadBalancerTree tree = withMembers(
                    current.tree(),
                    pool,
                    members -> members.stream()
                            .filter(other -> !other.id().equals(gone.id()))
                            .toList());
            writes.replace(in, current, Draft.of(tree));
            return ResponseEntity.noContent().build();
        });
    }

    private static ResponseEntity<Member> answer(Found found, UUID poolId, UUID memberId) {
        return ResponseEntity.ok()
                .eTag(ETags.of(found.row().generation()))
                .body(RestTrees.member(member(found.tree(), poolId, memberId)));
    }

    private static int poolIndex(LoadBalancerTree tree, UUID poolId) {
        for (int i = 0; i < tree.pools().size(); i++) {
            if (tree.pools().get(i).id().equals(poolId)) {
                return i;
            }
        }
        throw ProblemException.notFound();
    }

    private static MemberSpec member(LoadBalancerTree tree, UUID poolId, UUID memberId) {
        return tree.pools().get(poolIndex(tree, poolId)).members().stream()
                .filter(member -> member.id().equals(memberId))
                .findFirst()
                .orElseThrow(ProblemException::notFound);
    }

    private static LoadBalancerTree withMembers(
            LoadBalancerTree tree, UUID poolId, UnaryOperator<List<MemberSpec>> change) {
        List<PoolSpec> pools = tree.pools().stream()
                .map(pool -> pool.id().equals(poolId) ? Draft.withMembers(pool, change.apply(pool.members())) : pool)
                .toList();
        return new LoadBalancerTree(
                tree.loadBalancerId(),
                tree.projectId(),
                tree.tenantId(),
                tree.name(),
                tree.description(),
                tree.labels(),
                tree.enabled(),
                tree.placement(),
                tree.listeners(),
                pools);
    }
}
