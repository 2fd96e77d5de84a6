// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.loadbalancer;

import dev.weir.api.access.Access;
import dev.weir.api.access.ProjectAccess;
import dev.weir.api.loadbalancer.LoadBalancerWrites.Found;
import dev.weir.api.web.DryRun;
import dev.weir.api.web.ETags;
import dev.weir.api.web.IdempotentCalls;
import dev.weir.api.web.Ids;
import dev.weir.api.web.Pages;
import dev.weir.compiler.LoadBalancerTree;
import dev.weir.compiler.ResourceId;
import dev.weir.db.loadbalancer.LoadBalancerRepository;
import dev.weir.db.loadbalancer.Revision;
import dev.weir.db.loadbalancer.RevisionRepository;
import dev.weir.db.loadbalancer.Trees;
import dev.weir.db.project.ProjectRole;
import dev.weir.db.query.Lists;
import dev.weir.db.vip.VipAttachments;
import dev.weir.db.vip.VipAttachments.Attachment;
import dev.weir.rest.v1.LoadBalancersApi;
import dev.weir.rest.v1.model.LoadBalancer;
import dev.weir.rest.v1.model.LoadBalancerCreate;
import dev.weir.rest.v1.model.LoadBalancerPage;
import dev.weir.rest.v1.model.LoadBalancerSpec;
import dev.weir.rest.v1.model.LoadBalancerUpdate;
import dev.weir.rest.v1.model.RolloutStrategy;
import java.net.URI;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.springframework.data.domain.Limit;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.RestController;

@RestController
final class LoadBalancerController implements LoadBalancersApi {
    private final Access access;
    private final IdempotentCalls idempotent;
    private final LoadBalancerWrites writes;
    private final LoadBalancerRepository loadBalancers;
    private final RevisionRepository revisions;
    private final VipAttachments attachments;
    private final Lists lists;
    private final Validations validations;
    private final Ids ids;
    private final Clock clock;

    LoadBalancerController(
            Access access,
            IdempotentCalls idempotent,
            LoadBalancerWrites writes,
            LoadBalancerRepository loadBalancers,
            RevisionRepository revisions,
            VipAttachments attachments,
            Lists lists,
            Validations validations,
            Ids ids,
            Clock clock) {
        this.access = access;
        this.idempotent = idempotent;
        this.writes = writes;
        this.loadBalancers = loadBalancers;
        this.revisions = revisions;
        this.attachments = attachments;
        this.lists = lists;
        this.validations = validations;
        this.ids = ids;
        this.clock = clock;
    }

    @Override
    public ResponseEntity<LoadBalancerPage> listLoadBalancers(
            String projectId,
            Integer limit,
            @Nullable String cursor,
            @Nullable String name,
            Boolean deleted,
            @Nullable String filter,
            @Nullable String orderBy) {
        int rows = Pages.rows(limit);
        return access.read(projectId, in -> {
            if (deleted) {
                Pages<dev.weir.db.loadbalancer.LoadBalancer> page = Pages.of(
                        loadBalancers.deletedPage(
                                in.projectId(),
                                clock.instant().minus(LoadBalancerWrites.UNDELETABLE),
                                Pages.afterId(cursor),
                                name,
                                Limit.of(rows)),
                        limit,
                        row -> row.id().toString());
                return ResponseEntity.ok(
                        new LoadBalancerPage().items(rest(in, page.items())).nextCursor(page.nextCursor()));
            }
            Lists.Page page = lists.page(
                    in.projectId(),
                    Lists.Listed.LOAD_BALANCERS,
                    new Lists.Request(filter, orderBy, cursor, name, limit));
            return ResponseEntity.ok(new LoadBalancerPage()
                    .items(rest(
                            in,
                            Pages.inOrder(
                                    page.ids(),
                                    loadBalancers.findByProjectIdAndIdIn(in.projectId(), page.ids()),
                                    dev.weir.db.loadbalancer.LoadBalancer::id)))
                    .nextCursor(page.nextCursor()));
        });
    }

    private List<LoadBalancer> rest(ProjectAccess in, List<dev.weir.db.loadbalancer.LoadBalancer> rows) {
        Map<UUID, Revision> trees = revisions
                .findByProjectIdAndIdIn(
                        in.projectId(),
                        rows.stream()
                                .map(dev.weir.db.loadbalancer.LoadBalancer::revisionId)
                                .toList())
                .stream()
                .collect(Collectors.toMap(Revision::id, Function.identity()));
        Map<UUID, List<Attachment>> vips = attachments
                .ofLoadBalancers(
                        in.projectId(),
                        rows.stream()
                                .map(dev.weir.db.loadbalancer.LoadBalancer::id)
                                .toList())
                .stream()
                .collect(Collectors.groupingBy(Attachment::loadBalancerId));
        return rows.stream()
                .map(row -> RestTrees.loadBalancer(
                        row,
                        Trees.read(java.util.Objects.requireNonNull(trees.get(row.revisionId()))
                                .tree()),
                        vips.getOrDefault(row.id(), List.of())))
                .toList();
    }

    @Override
    public ResponseEntity<LoadBalancer> getLoadBalancer(String projectId, String loadBalancerId) {
        UUID id = Ids.path(ResourceId.LOAD_BALANCER, loadBalancerId);
        return access.read(projectId, in -> answer(ResponseEntity.ok(), in, writes.find(in.projectId(), id)));
    }

    private ResponseEntity<LoadBalancer> answer(ResponseEntity.BodyBuilder builder, ProjectAccess in, Found found) {
        return builder.eTag(ETags.of(found.row().generation()))
                .body(RestTrees.loadBalancer(
                        found.row(),
                        found.tree(),
                        attachments.ofLoadBalancer(in.projectId(), found.row().id())));
    }

    @Override
    public ResponseEntity<LoadBalancer> createLoadBalancer(
            String projectId, LoadBalancerCreate body, @Nullable String idempotencyKey, Boolean validateOnly) {
        if (validateOnly) {
            return DryRun.run(() -> access.write(
                    projectId, ProjectRole.EDITOR, "createLoadBalancer", in -> DryRun.end(create(in, body, true))));
        }
        return access.write(
                projectId,
                ProjectRole.EDITOR,
                "createLoadBalancer",
                in -> idempotent.run(
                        in.projectId(),
                        in.subject(),
                        idempotencyKey,
                        LoadBalancer.class,
                        () -> create(in, body, false)));
    }

    private ResponseEntity<LoadBalancer> create(ProjectAccess in, LoadBalancerCreate body, boolean validateOnly) {
        LoadBalancerSpec spec = new LoadBalancerSpec()
                .name(body.getName())
                .description(body.getDescription())
                .labels(body.getLabels())
                .enabled(body.getEnabled())
                .placement(body.getPlacement())
                .listeners(body.getListeners())
                .pools(body.getPools());
        UUID id = ids.next();
        Draft draft = new TreeReader(ids, null).read(spec, id, in.projectId(), in.tenantId());
        Found found = writes.create(
                in,
                draft,
                body.getVipIds() == null ? List.of() : List.copyOf(body.getVipIds()),
                body.getDeleteProtection(),
                body.getRollout() == null ? RolloutStrategy.IMMEDIATE : body.getRollout());
        if (validateOnly) {
            return validated(in, null, found);
        }
        URI location = URI.create("/v1/projects/%s/load-balancers/%s"
                .formatted(ResourceId.PROJECT.format(in.projectId()), ResourceId.LOAD_BALANCER.format(id)));
        return answer(ResponseEntity.created(location), in, found);
    }

    @Override
    public ResponseEntity<LoadBalancer> replaceLoadBalancerTree(
            String projectId,
            String loadBalancerId,
            LoadBalancerSpec body,
            @Nullable String ifMatch,
            Boolean validateOnly) {
        UUID id = Ids.path(ResourceId.LOAD_BALANCER, loadBalancerId);
        return DryRun.run(() -> access.write(projectId, ProjectRole.EDITOR, "replaceLoadBalancerTree", in -> {
            Found current = writes.lock(in.projectId(), id);
            ETags.require(ifMatch, current.row().generation());
            Draft draft = new TreeReader(ids, current.tree()).read(body, id, in.projectId(), in.tenantId());
            Found found = writes.replace(in, current, draft);
            return validateOnly
                    ? DryRun.end(validated(in, current.tree(), found))
                    : answer(ResponseEntity.ok(), in, found);
        }));
    }

    /** What a call would answer, and what else it would do. */
    private ResponseEntity<LoadBalancer> validated(ProjectAccess in, @Nullable LoadBalancerTree before, Found found) {
        return ResponseEntity.ok(RestTrees.loadBalancer(
                        found.row(),
                        found.tree(),
                        attachments.ofLoadBalancer(in.projectId(), found.row().id()))
                .validation(validations.of(before, found.tree())));
    }

    @Override
    public ResponseEntity<LoadBalancer> updateLoadBalancer(
            String projectId,
            String loadBalancerId,
            LoadBalancerUpdate body,
            @Nullable String ifMatch,
            Boolean validateOnly) {
        UUID id = Ids.path(ResourceId.LOAD_BALANCER, loadBalancerId);
        return DryRun.run(() -> access.write(projectId, ProjectRole.EDITOR, "updateLoadBalancer", in -> {
            Found current = writes.lock(in.projectId(), id);
            ETags.check(ifMatch, current.row().generation());
            if (body.getDeleteProtection() != null) {
                current.row().protect(body.getDeleteProtection());
            }
            if (body.getRollout() != null) {
                current.row().rollOut(body.getRollout().getValue());
            }
            Found found = writes.replace(in, current, changed(current.tree(), body));
            return validateOnly
                    ? DryRun.end(validated(in, current.tree(), found))
                    : answer(ResponseEntity.ok(), in, found);
        }));
    }

    @Override
    public ResponseEntity<LoadBalancer> undeleteLoadBalancer(
            String projectId, String loadBalancerId, @Nullable String idempotencyKey) {
        UUID id = Ids.path(ResourceId.LOAD_BALANCER, loadBalancerId);
        return access.write(
                projectId,
                ProjectRole.EDITOR,
                "undeleteLoadBalancer",
                in -> idempotent.run(
                        in.projectId(),
                        in.subject(),
                        idempotencyKey,
                        LoadBalancer.class,
                        () -> answer(ResponseEntity.ok(), in, writes.undelete(in, id))));
    }

    private Draft changed(LoadBalancerTree tree, LoadBalancerUpdate body) {
        TreeReader reader = new TreeReader(ids, tree);
        LoadBalancerTree changed = new LoadBalancerTree(
                tree.loadBalancerId(),
                tree.projectId(),
                tree.tenantId(),
                body.getName() == null ? tree.name() : body.getName(),
                body.getDescription().isPresent() ? body.getDescription().orElse(null) : tree.description(),
                body.getLabels() == null ? tree.labels() : Map.copyOf(body.getLabels()),
                body.getEnabled() == null ? tree.enabled() : body.getEnabled(),
                body.getPlacement() == null ? tree.placement() : reader.placement(body.getPlacement()),
                tree.listeners(),
                tree.pools());
        return Draft.of(changed, reader.faults());
    }

    @Override
    public ResponseEntity<Void> deleteLoadBalancer(String projectId, String loadBalancerId, @Nullable String ifMatch) {
        UUID id = Ids.path(ResourceId.LOAD_BALANCER, loadBalancerId);
        return access.write(projectId, ProjectRole.EDITOR, "deleteLoadBalancer", in -> {
            writes.delete(in, id, ifMatch);
            return ResponseEntity.noContent().build();
        });
    }
}
