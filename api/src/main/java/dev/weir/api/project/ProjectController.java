// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.project;

import dev.weir.api.access.Access;
import dev.weir.api.access.Access.FleetAccess;
import dev.weir.api.web.FieldFault;
import dev.weir.api.web.IdempotentCalls;
import dev.weir.api.web.Ids;
import dev.weir.api.web.Networks;
import dev.weir.api.web.Pages;
import dev.weir.api.web.ProblemException;
import dev.weir.api.web.Times;
import dev.weir.compiler.ResourceId;
import dev.weir.db.project.ProjectRows;
import dev.weir.db.project.ProjectRows.Granted;
import dev.weir.db.tenant.TenantRepository;
import dev.weir.rest.v1.ProjectsApi;
import dev.weir.rest.v1.model.Project;
import dev.weir.rest.v1.model.ProjectCreate;
import dev.weir.rest.v1.model.ProjectPage;
import dev.weir.rest.v1.model.ProjectRole;
import java.net.URI;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.RestController;

@RestController
final class ProjectController implements ProjectsApi {
    private final Access access;
    private final IdempotentCalls idempotent;
    private final ProjectRows projects;
    private final TenantRepository tenants;
    private final Ids ids;
    private final Clock clock;

    ProjectController(
            Access access,
            IdempotentCalls idempotent,
            ProjectRows projects,
            TenantRepository tenants,
            Ids ids,
            Clock clock) {
        this.access = access;
        this.idempotent = idempotent;
        this.projects = projects;
        this.tenants = tenants;
        this.ids = ids;
        this.clock = clock;
    }

    @Override
    public ResponseEntity<ProjectPage> listProjects(Integer limit, @Nullable String cursor, @Nullable String name) {
        UUID after = Pages.afterId(cursor);
        int rows = Pages.rows(limit);
        Pages<Project> page = access.readShared(
                operator -> Pages.of(
                        projects.page(after, name, rows).stream()
                                .map(ProjectController::rest)
                                .toList(),
                        limit,
                        ProjectController::cursor),
                tenant -> Pages.of(
                        projects.pageGranted(tenant.subject(), after, name, rows).stream()
                                .map(ProjectController::rest)
                                .toList(),
                        limit,
                        ProjectController::cursor));
        return ResponseEntity.ok(new ProjectPage().items(page.items()).nextCursor(page.nextCursor()));
    }

    private static String cursor(Project project) {
        return ResourceId.PROJECT.parse(project.getId()).toString();
    }

    @Override
    public ResponseEntity<Project> getProject(String projectId) {
        UUID id = Ids.path(ResourceId.PROJECT, projectId);
        return access.readShared(
                operator -> projects.find(id)
                        .map(project -> ResponseEntity.ok(rest(project)))
                        .orElseThrow(ProblemException::notFound),
                tenant -> projects.findGranted(id, tenant.subject())
                        .map(granted -> ResponseEntity.ok(rest(granted)))
                        .orElseThrow(ProblemException::notFound));
    }

    @Override
    public ResponseEntity<Project> createProject(ProjectCreate body, @Nullable String idempotencyKey) {
        return access.writeFleet(
                "createProject",
                fleet -> idempotent.run(
                        null, fleet.subject(), idempotencyKey, Project.class, () -> create(fleet, body)));
    }

    private ResponseEntity<Project> create(FleetAccess fleet, ProjectCreate body) {
        List<FieldFault> faults = new ArrayList<>();
        boolean known = ResourceId.TENANT.matches(body.getTenantId())
                && tenants.findById(ResourceId.TENANT.parse(body.getTenantId())).isPresent();
        if (!known) {
            faults.add(new FieldFault("/tenant_id", "TENANT_NOT_FOUND", "There is no such tenant."));
        }
        for (int i = 0; i < body.getMemberCidrs().size(); i++) {
            if (Networks.network(body.getMemberCidrs().get(i)).isEmpty()) {
                faults.add(new FieldFault(
                        "/member_cidrs/" + i,
                        "CIDR_INVALID",
                        "must be a network without host bits, such as 10.1.20.0/24"));
            }
        }
        if (!faults.isEmpty()) {
            throw ProblemException.refused(faults);
        }
        dev.weir.db.project.Project project = new dev.weir.db.project.Project(
                ids.next(),
                ResourceId.TENANT.parse(body.getTenantId()),
                body.getName(),
                body.getDisplayName() == null ? body.getName() : body.getDisplayName(),
                body.getMemberCidrs(),
                Times.stored(clock.instant()));
        projects.insert(project);
        Project answer = rest(project);
        return ResponseEntity.created(URI.create("/v1/projects/" + answer.getId()))
                .body(answer);
    }

    private static Project rest(Granted granted) {
        return rest(granted.project()).role(ProjectRole.valueOf(granted.role().name()));
    }

    private static Project rest(dev.weir.db.project.Project project) {
        return new Project()
                .id(ResourceId.PROJECT.format(project.id()))
                .tenantId(ResourceId.TENANT.format(project.tenantId()))
                .name(project.name())
                .displayName(project.displayName())
                .memberCidrs(project.memberCidrs())
                .createdAt(Times.of(project.createdAt()));
    }
}
