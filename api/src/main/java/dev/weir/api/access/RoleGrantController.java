// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.access;

import dev.weir.api.access.IdentityProvider.Person;
import dev.weir.api.web.FieldFault;
import dev.weir.api.web.IdempotentCalls;
import dev.weir.api.web.Ids;
import dev.weir.api.web.Pages;
import dev.weir.api.web.ProblemException;
import dev.weir.api.web.Times;
import dev.weir.compiler.ResourceId;
import dev.weir.db.project.RoleGrantRepository;
import dev.weir.db.tenant.TenantRepository;
import dev.weir.rest.v1.RoleGrantsApi;
import dev.weir.rest.v1.model.ProjectRole;
import dev.weir.rest.v1.model.RoleGrant;
import dev.weir.rest.v1.model.RoleGrantCreate;
import dev.weir.rest.v1.model.RoleGrantPage;
import java.net.URI;
import java.time.Clock;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.data.domain.Limit;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.RestController;

@RestController
final class RoleGrantController implements RoleGrantsApi {
    private final Access access;
    private final IdentityProvider identities;
    private final IdempotentCalls idempotent;
    private final RoleGrantRepository grants;
    private final TenantRepository tenants;
    private final Ids ids;
    private final Clock clock;

    RoleGrantController(
            Access access,
            IdentityProvider identities,
            IdempotentCalls idempotent,
            RoleGrantRepository grants,
            TenantRepository tenants,
            Ids ids,
            Clock clock) {
        this.access = access;
        this.identities = identities;
        this.idempotent = idempotent;
        this.grants = grants;
        this.tenants = tenants;
        this.ids = ids;
        this.clock = clock;
    }

    @Override
    public ResponseEntity<RoleGrantPage> listRoleGrants(String projectId, Integer limit, @Nullable String cursor) {
        return access.administer(projectId, in -> {
            Pages<dev.weir.db.project.RoleGrant> page = Pages.of(
                    grants.page(in.projectId(), Pages.afterId(cursor), Limit.of(Pages.rows(limit))),
                    limit,
                    grant -> grant.id().toString());
            return ResponseEntity.ok(new RoleGrantPage()
                    .items(page.items().stream().map(RoleGrantController::rest).toList())
                    .nextCursor(page.nextCursor()));
        });
    }

    @Override
    public ResponseEntity<RoleGrant> getRoleGrant(String projectId, String roleGrantId) {
        UUID id = Ids.path(ResourceId.ROLE_GRANT, roleGrantId);
        return access.administer(
                projectId,
                in -> grants.findByProjectIdAndId(in.projectId(), id)
                        .map(grant -> ResponseEntity.ok(rest(grant)))
                        .orElseThrow(ProblemException::notFound));
    }

    private record Tenancy(UUID organizationId, Optional<ResponseEntity<RoleGrant>> earlier) {}

    @Override
    public ResponseEntity<RoleGrant> createRoleGrant(
            String projectId, RoleGrantCreate body, @Nullable String idempotencyKey) {
        // Keycloak is asked outside of the transaction: it may be slow. Asking twice is harmless.
        Tenancy tenancy = access.administer(
                projectId,
                in -> new Tenancy(
                        tenants.findById(in.tenantId())
                                .orElseThrow(ProblemException::notFound)
                                .organizationId(),
                        idempotent.earlier(in.projectId(), in.subject(), idempotencyKey, RoleGrant.class)));
        if (tenancy.earlier().isPresent()) {
            return tenancy.earlier().get();
        }
        Person person = person(body);
        identities.join(tenancy.organizationId(), person.subject());
        return access.administer(
                projectId,
                "createRoleGrant",
                in -> idempotent.run(
                        in.projectId(), in.subject(), idempotencyKey, RoleGrant.class, () -> grant(in, person, body)));
    }

    private Person person(RoleGrantCreate body) {
        if ((body.getSubject() == null) == (body.getUsername() == null)) {
            throw ProblemException.refused(List.of(
                    new FieldFault("", "SUBJECT_OR_USERNAME", "Name the person by either subject or username.")));
        }
        Optional<Person> person = body.getSubject() != null
                ? identities.personBySubject(body.getSubject())
                : identities.personByUsername(String.valueOf(body.getUsername()));
        return person.orElseThrow(() -> ProblemException.refused(List.of(new FieldFault(
                body.getSubject() != null ? "/subject" : "/username",
                "PERSON_NOT_FOUND",
                "There is no such person."))));
    }

    private ResponseEntity<RoleGrant> grant(ProjectAccess in, Person person, RoleGrantCreate body) {
        dev.weir.db.project.ProjectRole role =
                dev.weir.db.project.ProjectRole.of(body.getRole().getValue());
        dev.weir.db.project.RoleGrant grant = grants.findByProjectIdAndSubject(in.projectId(), person.subject())
                .orElse(null);
        if (grant == null) {
            grant = grants.save(new dev.weir.db.project.RoleGrant(
                    in.projectId(),
                    ids.next(),
                    person.subject(),
                    person.username(),
                    role,
                    null,
                    Times.stored(clock.instant())));
        } else {
            grant.changeRole(role);
        }
        RoleGrant answer = rest(grant);
        return ResponseEntity.created(
                        URI.create("/v1/projects/%s/role-grants/%s".formatted(answer.getProjectId(), answer.getId())))
                .body(answer);
    }

    @Override
    public ResponseEntity<Void> deleteRoleGrant(String projectId, String roleGrantId) {
        UUID id = Ids.path(ResourceId.ROLE_GRANT, roleGrantId);
        return access.administer(projectId, "deleteRoleGrant", in -> {
            dev.weir.db.project.RoleGrant grant =
                    grants.findByProjectIdAndId(in.projectId(), id).orElseThrow(ProblemException::notFound);
            grants.delete(grant);
            return ResponseEntity.noContent().build();
        });
    }

    private static RoleGrant rest(dev.weir.db.project.RoleGrant grant) {
        UUID account = grant.serviceAccountId();
        return new RoleGrant()
                .id(ResourceId.ROLE_GRANT.format(grant.id()))
                .projectId(ResourceId.PROJECT.format(grant.projectId()))
                .subject(grant.subject())
                .username(grant.username())
                .role(ProjectRole.valueOf(grant.role().name()))
                .serviceAccountId(account == null ? null : ResourceId.SERVICE_ACCOUNT.format(account))
                .createdAt(Times.of(grant.createdAt()));
    }
}
