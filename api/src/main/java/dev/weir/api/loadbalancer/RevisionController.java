// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.loadbalancer;

import dev.weir.api.access.Access;
import dev.weir.api.access.ProjectAccess;
import dev.weir.api.loadbalancer.LoadBalancerWrites.Found;
import dev.weir.api.web.ETags;
import dev.weir.api.web.IdempotentCalls;
import dev.weir.api.web.Ids;
import dev.weir.api.web.Pages;
import dev.weir.api.web.ProblemException;
import dev.weir.api.web.Times;
import dev.weir.compiler.LoadBalancerTree;
import dev.weir.compiler.ResourceId;
import dev.weir.db.loadbalancer.LoadBalancerRepository;
import dev.weir.db.loadbalancer.RevisionRepository;
import dev.weir.db.loadbalancer.Trees;
import dev.weir.db.project.ProjectRole;
import dev.weir.db.vip.VipAttachments;
import dev.weir.rest.v1.RevisionsApi;
import dev.weir.rest.v1.model.LoadBalancer;
import dev.weir.rest.v1.model.Revision;
import dev.weir.rest.v1.model.RevisionDiff;
import dev.weir.rest.v1.model.RevisionPage;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.data.domain.Limit;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.RestController;

@RestController
final class RevisionController implements RevisionsApi {
    private final Access access;
    private final IdempotentCalls idempotent;
    private final LoadBalancerRepository loadBalancers;
    private final RevisionRepository revisions;
    private final LoadBalancerWrites writes;
    private final VipAttachments attachments;
    private final TreeChanges changes;

    RevisionController(
            Access access,
            IdempotentCalls idempotent,
            LoadBalancerRepository loadBalancers,
            RevisionRepository revisions,
            LoadBalancerWrites writes,
            VipAttachments attachments,
            TreeChanges changes) {
        this.access = access;
        this.idempotent = idempotent;
        this.loadBalancers = loadBalancers;
        this.revisions = revisions;
        this.writes = writes;
        this.attachments = attachments;
        this.changes = changes;
    }

    @Override
    public ResponseEntity<RevisionPage> listRevisions(
            String projectId, String loadBalancerId, Integer limit, @Nullable String cursor) {
        UUID id = Ids.path(ResourceId.LOAD_BALANCER, loadBalancerId);
        return access.read(projectId, in -> {
            if (loadBalancers.find(in.projectId(), id).isEmpty()) {
                throw ProblemException.notFound();
            }
            Pages<dev.weir.db.loadbalancer.Revision> page = Pages.of(
                    revisions.page(in.projectId(), id, Pages.beforeNumber(cursor), Limit.of(Pages.rows(limit))),
                    limit,
                    revision -> Long.toString(revision.generation()));
            return ResponseEntity.ok(new RevisionPage()
                    .items(page.items().stream().map(RevisionController::rest).toList())
                    .nextCursor(page.nextCursor()));
        });
    }

    @Override
    public ResponseEntity<Revision> getRevision(String projectId, String loadBalancerId, String revisionId) {
        UUID id = Ids.path(ResourceId.LOAD_BALANCER, loadBalancerId);
        UUID revision = Ids.path(ResourceId.REVISION, revisionId);
        return access.read(projectId, in -> {
            dev.weir.db.loadbalancer.Revision found = find(in, id, revision);
            return ResponseEntity.ok(rest(found).tree(RestTrees.revision(Trees.read(found.tree()))));
        });
    }

    private dev.weir.db.loadbalancer.Revision find(ProjectAccess in, UUID id, UUID revision) {
        return loadBalancers
                .find(in.projectId(), id)
                .flatMap(row -> revisions.findByProjectIdAndLoadBalancerIdAndId(in.projectId(), id, revision))
                .orElseThrow(ProblemException::notFound);
    }

    @Override
    public ResponseEntity<RevisionDiff> getRevisionDiff(
            String projectId, String loadBalancerId, String revisionId, @Nullable String against) {
        UUID id = Ids.path(ResourceId.LOAD_BALANCER, loadBalancerId);
        UUID revision = Ids.path(ResourceId.REVISION, revisionId);
        return access.read(projectId, in -> {
            dev.weir.db.loadbalancer.Revision to = find(in, id, revision);
            Optional<dev.weir.db.loadbalancer.Revision> from = against == null
                    ? revisions.page(in.projectId(), id, to.generation(), Limit.of(1)).stream()
                            .findFirst()
                    : Optional.of(find(in, id, Ids.path(ResourceId.REVISION, against)));
            LoadBalancerTree before =
                    from.map(found -> Trees.read(found.tree())).orElse(null);
            return ResponseEntity.ok(new RevisionDiff()
                    .fromRevisionId(from.map(found -> ResourceId.REVISION.format(found.id()))
                            .orElse(null))
                    .toRevisionId(ResourceId.REVISION.format(to.id()))
                    .changes(changes.between(before, Trees.read(to.tree()))));
        });
    }

    @Override
    public ResponseEntity<LoadBalancer> rollbackToRevision(
            String projectId,
            String loadBalancerId,
            String revisionId,
            @Nullable String idempotencyKey,
            @Nullable String ifMatch) {
        UUID id = Ids.path(ResourceId.LOAD_BALANCER, loadBalancerId);
        UUID revision = Ids.path(ResourceId.REVISION, revisionId);
        return access.write(
                projectId,
                ProjectRole.EDITOR,
                "rollbackToRevision",
                in -> idempotent.run(
                        in.projectId(),
                        in.subject(),
                        idempotencyKey,
                        LoadBalancer.class,
                        () -> rollBack(in, id, revision, ifMatch)));
    }

    private ResponseEntity<LoadBalancer> rollBack(
            ProjectAccess in, UUID id, UUID revisionId, @Nullable String ifMatch) {
        Found current = writes.lock(in.projectId(), id);
        ETags.check(ifMatch, current.row().generation());
        dev.weir.db.loadbalancer.Revision revision = find(in, id, revisionId);
        Found found = writes.replace(
                in,
                current,
                Draft.of(Trees.read(revision.tree())),
                "rolled back to generation %d: ".formatted(revision.generation()));
        return ResponseEntity.ok()
                .eTag(ETags.of(found.row().generation()))
                .body(RestTrees.loadBalancer(
                        found.row(), found.tree(), attachments.ofLoadBalancer(in.projectId(), id)));
    }

    private static Revision rest(dev.weir.db.loadbalancer.Revision revision) {
        return new Revision()
                .id(ResourceId.REVISION.format(revision.id()))
                .loadBalancerId(ResourceId.LOAD_BALANCER.format(revision.loadBalancerId()))
                .generation(revision.generation())
                .author(revision.author())
                .authorName(revision.authorName())
                .summary(revision.summary())
                .createdAt(Times.of(revision.createdAt()));
    }
}
