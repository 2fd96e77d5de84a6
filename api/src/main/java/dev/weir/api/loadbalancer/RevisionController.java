// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.loadbalancer;

import dev.weir.api.access.Access;
import dev.weir.api.web.Ids;
import dev.weir.api.web.Pages;
import dev.weir.api.web.ProblemException;
import dev.weir.api.web.Times;
import dev.weir.compiler.ResourceId;
import dev.weir.db.loadbalancer.LoadBalancerRepository;
import dev.weir.db.loadbalancer.RevisionRepository;
import dev.weir.db.loadbalancer.Trees;
import dev.weir.rest.v1.RevisionsApi;
import dev.weir.rest.v1.model.Revision;
import dev.weir.rest.v1.model.RevisionPage;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.data.domain.Limit;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.RestController;

@RestController
final class RevisionController implements RevisionsApi {
    private final Access access;
    private final LoadBalancerRepository loadBalancers;
    private final RevisionRepository revisions;

    RevisionController(Access access, LoadBalancerRepository loadBalancers, RevisionRepository revisions) {
        this.access = access;
        this.loadBalancers = loadBalancers;
        this.revisions = revisions;
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
        return access.read(
                projectId,
                in -> loadBalancers
                        .find(in.projectId(), id)
                        .flatMap(row -> revisions.findByProjectIdAndLoadBalancerIdAndId(in.projectId(), id, revision))
                        .map(found -> ResponseEntity.ok(rest(found).tree(RestTrees.revision(Trees.read(found.tree())))))
                        .orElseThrow(ProblemException::notFound));
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
