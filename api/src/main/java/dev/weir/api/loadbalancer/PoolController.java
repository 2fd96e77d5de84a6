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
import dev.weir.api.web.ProblemCode;
import dev.weir.api.web.ProblemException;
import dev.weir.compiler.LoadBalancerTree;
import dev.weir.compiler.LoadBalancerTree.PoolSpec;
import dev.weir.compiler.ResourceId;
import dev.weir.db.project.ProjectRole;
import dev.weir.rest.v1.PoolsApi;
import dev.weir.rest.v1.model.HealthMonitor;
import dev.weir.rest.v1.model.HealthMonitorSpec;
import dev.weir.rest.v1.model.Pool;
import dev.weir.rest.v1.model.PoolPage;
import dev.weir.rest.v1.model.PoolUpdate;
import java.net.URI;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.RestController;

/** Single pools and their health monitors. Each call is a small change of the load balancer's tree. */
@RestController
final class PoolController implements PoolsApi {
    private final Access access;
    private final IdempotentCalls idempotent;
    private final TreeParts parts;
    private final MergePatch patches;

    PoolController(Access access, IdempotentCalls idempotent, TreeParts parts, MergePatch patches) {
        this.access = access;
        this.idempotent = idempotent;
        this.parts = parts;
        this.patches = patches;
    }

    @Override
    public ResponseEntity<PoolPage> listPools(
            String projectId, String loadBalancerId, Integer limit, @Nullable String cursor, @Nullable String name) {
        return parts.read(projectId, loadBalancerId, tree -> {
            Pages<PoolSpec> page = Pages.of(
                    tree.pools().stream()
                            .filter(pool -> name == null || pool.name().equals(name))
                            .filter(pool -> pool.id()
                                            .toString()
                                            .compareTo(Pages.afterId(cursor).toString())
                                    > 0)
                            .sorted(Comparator.comparing(pool -> pool.id().toString()))
                            .limit(Pages.rows(limit))
                            .toList(),
                    limit,
                    pool -> pool.id().toString());
            return ResponseEntity.ok(new PoolPage()
                    .items(page.items().stream().map(RestTrees::pool).toList())
                    .nextCursor(page.nextCursor()));
        });
    }

    @Override
    public ResponseEntity<Pool> getPool(String projectId, String loadBalancerId, String poolId) {
        UUID id = Ids.path(ResourceId.POOL, poolId);
        return parts.read(projectId, loadBalancerId, tree -> answer(ResponseEntity.ok(), tree, id));
    }

    private static ResponseEntity<Pool> answer(ResponseEntity.BodyBuilder builder, LoadBalancerTree tree, UUID id) {
        PoolSpec pool = TreeParts.pool(tree, id);
        return builder.eTag(SpecTag.of(own(pool))).body(RestTrees.pool(pool));
    }

    /** What of a pool is its own: members have tags of their own. */
    private static PoolSpec own(PoolSpec pool) {
        return pool.withMembers(List.of());
    }

    @Override
    public ResponseEntity<Pool> createPool(
            String projectId,
            String loadBalancerId,
            dev.weir.rest.v1.model.PoolSpec body,
            @Nullable String idempotencyKey) {
        UUID id = Ids.path(ResourceId.LOAD_BALANCER, loadBalancerId);
        return access.write(
                projectId,
                ProjectRole.EDITOR,
                "createPool",
                in -> idempotent.run(
                        in.projectId(), in.subject(), idempotencyKey, Pool.class, () -> create(in, id, body)));
    }

    private ResponseEntity<Pool> create(ProjectAccess in, UUID loadBalancerId, dev.weir.rest.v1.model.PoolSpec body) {
        MemberController.requireNew(body.getId());
        List<UUID> made = new ArrayList<>();
        LoadBalancerTree tree = parts.change(in, loadBalancerId, null, seen -> seen, (current, reader) -> {
            PoolSpec pool = reader.pool(body, null, "/pools/" + current.pools().size());
            made.add(pool.id());
            return TreeParts.withPool(current, reader, pool);
        });
        URI location = URI.create("/v1/projects/%s/load-balancers/%s/pools/%s"
                .formatted(
                        ResourceId.PROJECT.format(in.projectId()),
                        ResourceId.LOAD_BALANCER.format(loadBalancerId),
                        ResourceId.POOL.format(made.getFirst())));
        return answer(ResponseEntity.created(location), tree, made.getFirst());
    }

    @Override
    public ResponseEntity<Pool> updatePool(
            String projectId, String loadBalancerId, String poolId, PoolUpdate body, @Nullable String ifMatch) {
        UUID id = Ids.path(ResourceId.POOL, poolId);
        return parts.write(
                projectId,
                loadBalancerId,
                ProjectRole.EDITOR,
                "updatePool",
                ifMatch,
                tree -> own(TreeParts.pool(tree, id)),
                (tree, reader) -> {
                    PoolSpec before = TreeParts.pool(tree, id);
                    dev.weir.rest.v1.model.PoolSpec after = patches.apply(
                            RestTrees.pool(before),
                            List.of("id", "members", "health_monitor"),
                            dev.weir.rest.v1.model.PoolSpec.class);
                    return with(tree, reader, before, after);
                },
                tree -> answer(ResponseEntity.ok(), tree, id));
    }

    /** Takes a pool's own properties over; members and monitor stay. */
    private static Change with(
            LoadBalancerTree tree, TreeReader reader, PoolSpec before, dev.weir.rest.v1.model.PoolSpec after) {
        dev.weir.rest.v1.model.PoolSpec whole = after.members(List.of()).healthMonitor(null);
        String at = "/pools/" + (tree.pools().size() - 1);
        PoolSpec changed = reader.pool(whole, before, at).withHealthMonitor(before.healthMonitor());
        return TreeParts.withPool(tree, reader, changed.withMembers(before.members()));
    }

    @Override
    public ResponseEntity<Void> deletePool(
            String projectId, String loadBalancerId, String poolId, @Nullable String ifMatch) {
        UUID id = Ids.path(ResourceId.POOL, poolId);
        return parts.write(
                projectId,
                loadBalancerId,
                ProjectRole.EDITOR,
                "deletePool",
                ifMatch,
                tree -> own(TreeParts.pool(tree, id)),
                (tree, reader) -> without(tree, id),
                tree -> ResponseEntity.noContent().build());
    }

    private static Change without(LoadBalancerTree tree, UUID id) {
        List<FieldFault> users = tree.listeners().stream()
                .filter(listener -> listener.poolId().equals(id))
                .map(listener ->
                        FieldFault.user("listener", listener.name(), ResourceId.LISTENER.format(listener.id())))
                .toList();
        if (!users.isEmpty()) {
            throw new ProblemException(ProblemCode.RESOURCE_IN_USE, "Listeners use the pool.", users);
        }
        List<PoolSpec> pools =
                tree.pools().stream().filter(pool -> !pool.id().equals(id)).toList();
        return new Change(Draft.of(TreeParts.with(tree, tree.listeners(), pools)), "");
    }

    @Override
    public ResponseEntity<HealthMonitor> getHealthMonitor(String projectId, String loadBalancerId, String poolId) {
        UUID id = Ids.path(ResourceId.POOL, poolId);
        return parts.read(projectId, loadBalancerId, tree -> monitor(tree, id));
    }

    private static ResponseEntity<HealthMonitor> monitor(LoadBalancerTree tree, UUID poolId) {
        LoadBalancerTree.HealthMonitorSpec monitor = requireMonitor(tree, poolId);
        return ResponseEntity.ok().eTag(SpecTag.of(monitor)).body(RestTrees.monitor(monitor));
    }

    private static LoadBalancerTree.HealthMonitorSpec requireMonitor(LoadBalancerTree tree, UUID poolId) {
        return Optional.ofNullable(TreeParts.pool(tree, poolId).healthMonitor())
                .orElseThrow(ProblemException::notFound);
    }

    @Override
    public ResponseEntity<HealthMonitor> putHealthMonitor(
            String projectId, String loadBalancerId, String poolId, HealthMonitorSpec body, @Nullable String ifMatch) {
        UUID id = Ids.path(ResourceId.POOL, poolId);
        return parts.write(
                projectId,
                loadBalancerId,
                ProjectRole.EDITOR,
                "putHealthMonitor",
                ifMatch,
                tree -> Optional.<Object>ofNullable(TreeParts.pool(tree, id).healthMonitor())
                        .orElse("none"),
                (tree, reader) -> {
                    PoolSpec pool = TreeParts.pool(tree, id);
                    Change change =
                            TreeParts.withPool(tree, reader, pool.withHealthMonitor(reader.monitor(body, pool)));
                    return new Change(change.draft(), change.at() + "/health_monitor");
                },
                tree -> monitor(tree, id));
    }

    @Override
    public ResponseEntity<Void> deleteHealthMonitor(
            String projectId, String loadBalancerId, String poolId, @Nullable String ifMatch) {
        UUID id = Ids.path(ResourceId.POOL, poolId);
        return parts.write(
                projectId,
                loadBalancerId,
                ProjectRole.EDITOR,
                "deleteHealthMonitor",
                ifMatch,
                tree -> requireMonitor(tree, id),
                (tree, reader) -> TreeParts.withPool(
                        tree, reader, TreeParts.pool(tree, id).withHealthMonitor(null)),
                tree -> ResponseEntity.noContent().build());
    }
}
