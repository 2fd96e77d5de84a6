// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.tenant;

import dev.weir.api.access.Access;
import dev.weir.api.access.IdentityProvider;
import dev.weir.api.web.FieldFault;
import dev.weir.api.web.IdempotentCalls;
import dev.weir.api.web.Ids;
import dev.weir.api.web.Pages;
import dev.weir.api.web.ProblemCode;
import dev.weir.api.web.ProblemException;
import dev.weir.api.web.Times;
import dev.weir.compiler.ResourceId;
import dev.weir.db.project.ProjectRows;
import dev.weir.db.tenant.TenantRepository;
import dev.weir.rest.v1.TenantsApi;
import dev.weir.rest.v1.model.Tenant;
import dev.weir.rest.v1.model.TenantCreate;
import dev.weir.rest.v1.model.TenantPage;
import dev.weir.rest.v1.model.TenantState;
import java.net.URI;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.data.domain.Limit;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.RestController;

@RestController
final class TenantController implements TenantsApi {
    private static final Logger log = LoggerFactory.getLogger(TenantController.class);
    private static final int USERS_SHOWN = 20;

    private final Access access;
    private final IdentityProvider identities;
    private final IdempotentCalls idempotent;
    private final TenantRepository tenants;
    private final ProjectRows projects;
    private final Ids ids;
    private final Clock clock;

    TenantController(
            Access access,
            IdentityProvider identities,
            IdempotentCalls idempotent,
            TenantRepository tenants,
            ProjectRows projects,
            Ids ids,
            Clock clock) {
        this.access = access;
        this.identities = identities;
        this.idempotent = idempotent;
        this.tenants = tenants;
        this.projects = projects;
        this.ids = ids;
        this.clock = clock;
    }

    @Override
    public ResponseEntity<TenantPage> listTenants(Integer limit, @Nullable String cursor, @Nullable String name) {
        return access.readFleet(fleet -> {
            Pages<dev.weir.db.tenant.Tenant> page = Pages.of(
                    tenants.page(Pages.afterId(cursor), name, Limit.of(Pages.rows(limit))),
                    limit,
                    tenant -> tenant.id().toString());
            return ResponseEntity.ok(new TenantPage()
                    .items(page.items().stream().map(TenantController::rest).toList())
                    .nextCursor(page.nextCursor()));
        });
    }

    @Override
    public ResponseEntity<Tenant> getTenant(String tenantId) {
        UUID id = Ids.path(ResourceId.TENANT, tenantId);
        return access.readFleet(fleet -> tenants.findById(id)
                .map(tenant -> ResponseEntity.ok(rest(tenant)))
                .orElseThrow(ProblemException::notFound));
    }

    @Override
    public ResponseEntity<Tenant> createTenant(TenantCreate body, @Nullable String idempotencyKey) {
        // Keycloak is asked outside of the transaction: it may be slow. Asking twice is harmless.
        Optional<ResponseEntity<Tenant>> earlier =
                access.readFleet(fleet -> idempotent.earlier(null, fleet.subject(), idempotencyKey, Tenant.class));
        if (earlier.isPresent()) {
            return earlier.get();
        }
        String displayName = body.getDisplayName() == null ? body.getName() : body.getDisplayName();
        UUID organization = identities.organization(body.getName(), displayName, body.getDomain());
        return access.writeFleet(
                "createTenant",
                fleet -> idempotent.run(null, fleet.subject(), idempotencyKey, Tenant.class, () -> {
                    Tenant tenant = rest(tenants.save(new dev.weir.db.tenant.Tenant(
                            ids.next(), body.getName(), displayName, organization, now())));
                    return ResponseEntity.created(URI.create("/v1/tenants/" + tenant.getId()))
                            .body(tenant);
                }));
    }

    @Override
    public ResponseEntity<Tenant> suspendTenant(String tenantId, @Nullable String idempotencyKey) {
        return change("suspendTenant", tenantId, idempotencyKey, tenant -> tenant.suspend(now()));
    }

    @Override
    public ResponseEntity<Tenant> resumeTenant(String tenantId, @Nullable String idempotencyKey) {
        return change("resumeTenant", tenantId, idempotencyKey, tenant -> tenant.resume(now()));
    }

    private ResponseEntity<Tenant> change(
            String action, String tenantId, @Nullable String key, Consumer<dev.weir.db.tenant.Tenant> change) {
        UUID id = Ids.path(ResourceId.TENANT, tenantId);
        return access.writeFleet(
                action,
                fleet -> idempotent.run(null, fleet.subject(), key, Tenant.class, () -> {
                    dev.weir.db.tenant.Tenant tenant = tenants.findById(id).orElseThrow(ProblemException::notFound);
                    change.accept(tenant);
                    return ResponseEntity.ok(rest(tenant));
                }));
    }

    /** The row first: without it the organization's tokens open nothing, and asking Keycloak again is harmless. */
    @Override
    public ResponseEntity<Void> deleteTenant(String tenantId) {
        UUID id = Ids.path(ResourceId.TENANT, tenantId);
        UUID organization = access.writeFleet("deleteTenant", fleet -> {
            dev.weir.db.tenant.Tenant tenant = tenants.findById(id).orElseThrow(ProblemException::notFound);
            List<FieldFault> users = projects.ofTenant(id, USERS_SHOWN).stream()
                    .map(project -> new FieldFault(
                            "",
                            "PROJECT",
                            "Project %s, %s, is the tenant's."
                                    .formatted(project.name(), ResourceId.PROJECT.format(project.id()))))
                    .toList();
            if (!users.isEmpty()) {
                throw new ProblemException(
                        ProblemCode.TENANT_IN_USE, "Delete the tenant's projects before the tenant.", users);
            }
            tenants.delete(tenant);
            return tenant.organizationId();
        });
        try {
            identities.deleteOrganization(organization);
        } catch (ProblemException e) {
            log.atWarn().addKeyValue("organization", organization).log("Organization left behind in Keycloak");
        }
        return ResponseEntity.noContent().build();
    }

    private Instant now() {
        return Times.stored(clock.instant());
    }

    private static Tenant rest(dev.weir.db.tenant.Tenant tenant) {
        return new Tenant()
                .id(ResourceId.TENANT.format(tenant.id()))
                .name(tenant.name())
                .displayName(tenant.displayName())
                .state(tenant.suspended() ? TenantState.SUSPENDED : TenantState.ACTIVE)
                .organizationId(tenant.organizationId().toString())
                .createdAt(Times.of(tenant.createdAt()));
    }
}
