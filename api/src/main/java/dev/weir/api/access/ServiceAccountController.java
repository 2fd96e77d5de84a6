// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.access;

import dev.weir.api.access.IdentityProvider.MachineClient;
import dev.weir.api.web.IdempotentCalls;
import dev.weir.api.web.Ids;
import dev.weir.api.web.Pages;
import dev.weir.api.web.ProblemException;
import dev.weir.api.web.Times;
import dev.weir.compiler.ResourceId;
import dev.weir.db.project.RoleGrant;
import dev.weir.db.project.RoleGrantRepository;
import dev.weir.db.project.ServiceAccountRepository;
import dev.weir.db.tenant.TenantRepository;
import dev.weir.rest.v1.ServiceAccountsApi;
import dev.weir.rest.v1.model.ProjectRole;
import dev.weir.rest.v1.model.ServiceAccount;
import dev.weir.rest.v1.model.ServiceAccountCreate;
import dev.weir.rest.v1.model.ServiceAccountPage;
import java.net.URI;
import java.time.Clock;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.data.domain.Limit;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.RestController;

@RestController
final class ServiceAccountController implements ServiceAccountsApi {
    private static final Logger log = LoggerFactory.getLogger(ServiceAccountController.class);

    private final Access access;
    private final IdentityProvider identities;
    private final IdempotentCalls idempotent;
    private final ServiceAccountRepository accounts;
    private final RoleGrantRepository grants;
    private final TenantRepository tenants;
    private final Ids ids;
    private final Clock clock;

    ServiceAccountController(
            Access access,
            IdentityProvider identities,
            IdempotentCalls idempotent,
            ServiceAccountRepository accounts,
            RoleGrantRepository grants,
            TenantRepository tenants,
            Ids ids,
            Clock clock) {
        this.access = access;
        this.identities = identities;
        this.idempotent = idempotent;
        this.accounts = accounts;
        this.grants = grants;
        this.tenants = tenants;
        this.ids = ids;
        this.clock = clock;
    }

    @Override
    public ResponseEntity<ServiceAccountPage> listServiceAccounts(
            String projectId, Integer limit, @Nullable String cursor, @Nullable String name) {
        return access.administer(projectId, in -> {
            Pages<dev.weir.db.project.ServiceAccount> page = Pages.of(
                    accounts.page(in.projectId(), Pages.afterId(cursor), name, Limit.of(Pages.rows(limit))),
                    limit,
                    account -> account.id().toString());
            return ResponseEntity.ok(new ServiceAccountPage()
                    .items(page.items().stream()
                            .map(ServiceAccountController::rest)
                            .toList())
                    .nextCursor(page.nextCursor()));
        });
    }

    @Override
    public ResponseEntity<ServiceAccount> getServiceAccount(String projectId, String serviceAccountId) {
        UUID id = Ids.path(ResourceId.SERVICE_ACCOUNT, serviceAccountId);
        return access.administer(projectId, in -> ResponseEntity.ok(rest(found(in, id))));
    }

    /** @param earlier what an earlier call with the same idempotency key answered */
    private record Begun(UUID id, UUID organizationId, Optional<ResponseEntity<ServiceAccount>> earlier) {}

    /**
     * A saga: the row first, then the client of its id in Keycloak, then subject and grant. Whatever dies in between
     * leaves a row that opens nothing, and perhaps its client; {@link OrphanedClients} clears both away.
     */
    @Override
    public ResponseEntity<ServiceAccount> createServiceAccount(
            String projectId, ServiceAccountCreate body, @Nullable String idempotencyKey) {
        Begun begun = IdempotentCalls.afterTwin(
                () -> access.administer(projectId, "createServiceAccount", in -> begin(in, body, idempotencyKey)));
        if (begun.earlier().isPresent()) {
            return begun.earlier().get();
        }
        try {
            MachineClient client = identities.createClient(
                    ResourceId.SERVICE_ACCOUNT.format(begun.id()), body.getName(), begun.organizationId());
            return access.administer(
                    projectId, "createServiceAccount", in -> activate(in, begun.id(), client, idempotencyKey));
        } catch (RuntimeException e) {
            undo(projectId, begun.id(), idempotencyKey);
            throw e;
        }
    }

    private Begun begin(ProjectAccess in, ServiceAccountCreate body, @Nullable String idempotencyKey) {
        UUID organization = tenants.findById(in.tenantId())
                .orElseThrow(ProblemException::notFound)
                .organizationId();
        Optional<ResponseEntity<ServiceAccount>> earlier =
                idempotent.begin(in.projectId(), in.subject(), idempotencyKey, ServiceAccount.class);
        UUID id = ids.next();
        if (earlier.isEmpty()) {
            accounts.save(new dev.weir.db.project.ServiceAccount(
                    in.projectId(),
                    id,
                    body.getName(),
                    dev.weir.db.project.ProjectRole.of(body.getRole().getValue()),
                    ResourceId.SERVICE_ACCOUNT.format(id),
                    Times.stored(clock.instant())));
        }
        return new Begun(id, organization, earlier);
    }

    private ResponseEntity<ServiceAccount> activate(
            ProjectAccess in, UUID id, MachineClient client, @Nullable String idempotencyKey) {
        dev.weir.db.project.ServiceAccount account =
                accounts.findByProjectIdAndId(in.projectId(), id).orElseThrow(ProblemException::notFound);
        account.activate(client.subject());
        grants.save(new RoleGrant(
                in.projectId(),
                ids.next(),
                client.subject(),
                client.clientId(),
                account.role(),
                id,
                Times.stored(clock.instant())));
        ServiceAccount answer = rest(account);
        ResponseEntity<ServiceAccount> created = ResponseEntity.created(URI.create(
                        "/v1/projects/%s/service-accounts/%s".formatted(answer.getProjectId(), answer.getId())))
                .body(rest(account).clientSecret(client.secret()));
        idempotent.finish(in.projectId(), in.subject(), idempotencyKey, created, answer);
        return created;
    }

    private void undo(String projectId, UUID id, @Nullable String idempotencyKey) {
        try {
            access.administer(projectId, "createServiceAccount", in -> {
                accounts.findByProjectIdAndId(in.projectId(), id).ifPresent(accounts::delete);
                idempotent.abandon(in.projectId(), in.subject(), idempotencyKey);
                return id;
            });
            identities.deleteClient(ResourceId.SERVICE_ACCOUNT.format(id));
        } catch (RuntimeException e) {
            log.atWarn().addKeyValue("service_account", id).log("Half a service account left to the clean-up");
        }
    }

    @Override
    public ResponseEntity<ServiceAccount> rotateServiceAccountSecret(
            String projectId, String serviceAccountId, @Nullable String idempotencyKey) {
        UUID id = Ids.path(ResourceId.SERVICE_ACCOUNT, serviceAccountId);
        Optional<ResponseEntity<ServiceAccount>> earlier =
                IdempotentCalls.afterTwin(() -> access.prepare(projectId, in -> {
                    found(in, id);
                    return idempotent.begin(in.projectId(), in.subject(), idempotencyKey, ServiceAccount.class);
                }));
        if (earlier.isPresent()) {
            return earlier.get();
        }
        try {
            String secret = identities
                    .rotateSecret(ResourceId.SERVICE_ACCOUNT.format(id))
                    .orElseThrow(ProblemException::notFound);
            return access.administer(projectId, "rotateServiceAccountSecret", in -> {
                ServiceAccount answer = rest(found(in, id));
                ResponseEntity<ServiceAccount> rotated =
                        ResponseEntity.ok(rest(found(in, id)).clientSecret(secret));
                idempotent.finish(in.projectId(), in.subject(), idempotencyKey, rotated, answer);
                return rotated;
            });
        } catch (RuntimeException e) {
            access.prepare(projectId, in -> {
                idempotent.abandon(in.projectId(), in.subject(), idempotencyKey);
                return id;
            });
            throw e;
        }
    }

    private dev.weir.db.project.ServiceAccount found(ProjectAccess in, UUID id) {
        return accounts.findByProjectIdAndId(in.projectId(), id)
                .filter(dev.weir.db.project.ServiceAccount::active)
                .orElseThrow(ProblemException::notFound);
    }

    @Override
    public ResponseEntity<Void> deleteServiceAccount(String projectId, String serviceAccountId) {
        UUID id = Ids.path(ResourceId.SERVICE_ACCOUNT, serviceAccountId);
        // The grant goes with the row, so tokens end here; Keycloak only stops giving new ones.
        String clientId = access.administer(projectId, "deleteServiceAccount", in -> {
            dev.weir.db.project.ServiceAccount account = found(in, id);
            accounts.delete(account);
            return account.clientId();
        });
        try {
            identities.deleteClient(clientId);
        } catch (ProblemException e) {
            log.atWarn().addKeyValue("client", clientId).log("Client left to the clean-up");
        }
        return ResponseEntity.noContent().build();
    }

    private static ServiceAccount rest(dev.weir.db.project.ServiceAccount account) {
        return new ServiceAccount()
                .id(ResourceId.SERVICE_ACCOUNT.format(account.id()))
                .projectId(ResourceId.PROJECT.format(account.projectId()))
                .name(account.name())
                .role(ProjectRole.valueOf(account.role().name()))
                .clientId(account.clientId())
                .createdAt(Times.of(account.createdAt()));
    }
}
