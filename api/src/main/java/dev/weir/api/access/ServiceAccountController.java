// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.access;

import dev.weir.api.access.IdentityProvider.MachineClient;
import dev.weir.api.web.IdempotentCalls;
import dev.weir.api.web.Ids;
import dev.weir.api.web.Pages;
import dev.weir.api.web.ProblemCode;
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
import java.time.Instant;
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
        return access.administer(
                projectId,
                in -> accounts.findByProjectIdAndId(in.projectId(), id)
                        .map(account -> ResponseEntity.ok(rest(account)))
                        .orElseThrow(ProblemException::notFound));
    }

    private record Tenancy(UUID organizationId, Optional<ResponseEntity<ServiceAccount>> earlier) {}

    @Override
    public ResponseEntity<ServiceAccount> createServiceAccount(
            String projectId, ServiceAccountCreate body, @Nullable String idempotencyKey) {
        Tenancy tenancy = access.administer(projectId, in -> {
            if (accounts.findByProjectIdAndName(in.projectId(), body.getName()).isPresent() && idempotencyKey == null) {
                throw new ProblemException(ProblemCode.NAME_TAKEN, "Another service account has this name.");
            }
            return new Tenancy(
                    tenants.findById(in.tenantId())
                            .orElseThrow(ProblemException::notFound)
                            .organizationId(),
                    idempotent.earlier(in.projectId(), in.subject(), idempotencyKey, ServiceAccount.class));
        });
        if (tenancy.earlier().isPresent()) {
            return tenancy.earlier().get();
        }
        UUID id = ids.next();
        MachineClient client = identities.createClient(
                ResourceId.SERVICE_ACCOUNT.format(id), body.getName(), tenancy.organizationId());
        boolean kept = false;
        try {
            ResponseEntity<ServiceAccount> answer = access.administer(
                    projectId,
                    "createServiceAccount",
                    in -> idempotent.run(
                            in.projectId(),
                            in.subject(),
                            idempotencyKey,
                            ServiceAccount.class,
                            account -> copyWithoutSecret(account),
                            () -> create(in, id, client, body)));
            ServiceAccount account = answer.getBody();
            kept = account != null && account.getClientId().equals(client.clientId());
            return answer;
        } finally {
            if (!kept) {
                discard(client);
            }
        }
    }

    private ResponseEntity<ServiceAccount> create(
            ProjectAccess in, UUID id, MachineClient client, ServiceAccountCreate body) {
        Instant now = Times.stored(clock.instant());
        dev.weir.db.project.ProjectRole role =
                dev.weir.db.project.ProjectRole.of(body.getRole().getValue());
        dev.weir.db.project.ServiceAccount account = accounts.save(new dev.weir.db.project.ServiceAccount(
                in.projectId(), id, body.getName(), role, client.clientId(), client.subject(), now));
        grants.save(new RoleGrant(in.projectId(), ids.next(), client.subject(), client.clientId(), role, id, now));
        ServiceAccount answer = rest(account).clientSecret(client.secret());
        return ResponseEntity.created(URI.create(
                        "/v1/projects/%s/service-accounts/%s".formatted(answer.getProjectId(), answer.getId())))
                .body(answer);
    }

    private static ServiceAccount copyWithoutSecret(ServiceAccount account) {
        return new ServiceAccount()
                .id(account.getId())
                .projectId(account.getProjectId())
                .name(account.getName())
                .role(account.getRole())
                .clientId(account.getClientId())
                .createdAt(account.getCreatedAt());
    }

    // Without a row the client opens nothing; so a failure here leaves only litter.
    private void discard(MachineClient client) {
        try {
            identities.deleteClient(client.clientId());
        } catch (RuntimeException e) {
            log.atWarn().addKeyValue("client", client.clientId()).log("Client left behind in Keycloak");
        }
    }

    @Override
    public ResponseEntity<Void> deleteServiceAccount(String projectId, String serviceAccountId) {
        UUID id = Ids.path(ResourceId.SERVICE_ACCOUNT, serviceAccountId);
        // The grant goes with the row, so tokens end here; Keycloak only stops giving new ones.
        String clientId = access.administer(projectId, "deleteServiceAccount", in -> {
            dev.weir.db.project.ServiceAccount account =
                    accounts.findByProjectIdAndId(in.projectId(), id).orElseThrow(ProblemException::notFound);
            accounts.delete(account);
            return account.clientId();
        });
        try {
            identities.deleteClient(clientId);
        } catch (ProblemException e) {
            log.atWarn().addKeyValue("client", clientId).log("Client left behind in Keycloak");
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
