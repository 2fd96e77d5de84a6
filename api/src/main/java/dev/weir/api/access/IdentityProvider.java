// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.access;

import dev.weir.api.web.ProblemCode;
import dev.weir.api.web.ProblemException;
import jakarta.ws.rs.ClientErrorException;
import jakarta.ws.rs.NotFoundException;
import jakarta.ws.rs.ProcessingException;
import jakarta.ws.rs.WebApplicationException;
import jakarta.ws.rs.client.ClientBuilder;
import jakarta.ws.rs.core.Response;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.keycloak.OAuth2Constants;
import org.keycloak.admin.client.Keycloak;
import org.keycloak.admin.client.KeycloakBuilder;
import org.keycloak.admin.client.resource.RealmResource;
import org.keycloak.representations.idm.ClientRepresentation;
import org.keycloak.representations.idm.OrganizationDomainRepresentation;
import org.keycloak.representations.idm.OrganizationRepresentation;
import org.keycloak.representations.idm.ProtocolMapperRepresentation;
import org.keycloak.representations.idm.UserRepresentation;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.DisposableBean;
import org.springframework.stereotype.Component;

/**
 * Organizations, people and machine clients in Keycloak. Every call ends within its timeouts; when Keycloak is away, with
 * a problem of status 503. Each step can be repeated after a failure in the middle.
 */
@Component
public final class IdentityProvider implements DisposableBean {
    private static final Logger log = LoggerFactory.getLogger(IdentityProvider.class);
    private static final int CONNECT_TIMEOUT_MS = 2_000;
    private static final int READ_TIMEOUT_MS = 8_000;
    private static final int PAGE = 200;

    private final OidcProperties oidc;
    private final Supplier<Keycloak> keycloak;

    IdentityProvider(OidcProperties oidc) {
        this.oidc = oidc;
        this.keycloak = new Lazy<>(this::connect);
    }

    /** A person as grants name them. */
    public record Person(String subject, String username) {}

    /** @param subject of the tokens that the client gets */
    public record MachineClient(String clientId, String secret, String subject) {}

    private static final class Lazy<T> implements Supplier<T> {
        private final Supplier<T> source;
        private volatile @Nullable T value;

        Lazy(Supplier<T> source) {
            this.source = source;
        }

        @Override
        public T get() {
            T known = value;
            if (known == null) {
                synchronized (this) {
                    known = value;
                    if (known == null) {
                        known = source.get();
                        value = known;
                    }
                }
            }
            return known;
        }
    }

    private Keycloak connect() {
        return KeycloakBuilder.builder()
                .serverUrl(oidc.keycloakUrl())
                .realm(oidc.realm())
                .grantType(OAuth2Constants.CLIENT_CREDENTIALS)
                .clientId(oidc.adminClientId())
                .clientSecret(oidc.adminClientSecret())
                .resteasyClient(ClientBuilder.newBuilder()
                        .connectTimeout(CONNECT_TIMEOUT_MS, TimeUnit.MILLISECONDS)
                        .readTimeout(READ_TIMEOUT_MS, TimeUnit.MILLISECONDS)
                        .build())
                .build();
    }

    private <T> T call(Function<RealmResource, T> work) {
        try {
            return work.apply(keycloak.get().realm(oidc.realm()));
        } catch (ProcessingException e) {
            throw unavailable(e);
        } catch (WebApplicationException e) {
            if (e.getResponse().getStatus() >= 500) {
                throw unavailable(e);
            }
            throw e;
        }
    }

    private static ProblemException unavailable(Exception e) {
        log.atWarn().addKeyValue("cause", e.toString()).log("Keycloak not available");
        ProblemException problem = new ProblemException(
                ProblemCode.IDENTITY_PROVIDER_UNAVAILABLE, "Keycloak could not be reached; try again shortly.");
        problem.initCause(e);
        return problem;
    }

    /** The organization of this alias, made if there is none. */
    public UUID organization(String alias, String name, @Nullable String domain) {
        return call(realm -> {
            Optional<OrganizationRepresentation> existing = organizationOf(realm, alias);
            if (existing.isPresent()) {
                return UUID.fromString(existing.get().getId());
            }
            OrganizationRepresentation organization = new OrganizationRepresentation();
            organization.setAlias(alias);
            organization.setName(name);
            organization.setEnabled(true);
            organization.addDomain(new OrganizationDomainRepresentation(domain == null ? alias + ".invalid" : domain));
            try (Response response = realm.organizations().create(organization)) {
                return UUID.fromString(createdId(response, "organization"));
            }
        });
    }

    private static Optional<OrganizationRepresentation> organizationOf(RealmResource realm, String alias) {
        for (int first = 0; ; first += PAGE) {
            List<OrganizationRepresentation> page = realm.organizations().list(first, PAGE);
            Optional<OrganizationRepresentation> found = page.stream()
                    .filter(organization -> alias.equals(organization.getAlias()))
                    .findFirst();
            if (found.isPresent() || page.size() < PAGE) {
                return found;
            }
        }
    }

    /** Harmless if there is none. Its members stay as people of the realm. */
    public void deleteOrganization(UUID organizationId) {
        call(realm -> {
            try (Response response =
                    realm.organizations().get(organizationId.toString()).delete()) {
                if (response.getStatus() != Response.Status.NOT_FOUND.getStatusCode()
                        && response.getStatusInfo().getFamily() != Response.Status.Family.SUCCESSFUL) {
                    throw new ClientErrorException("Keycloak kept the organization", response.getStatus());
                }
                return "";
            }
        });
    }

    private static String createdId(Response response, String what) {
        if (response.getStatusInfo().getFamily() != Response.Status.Family.SUCCESSFUL) {
            throw new ClientErrorException(
                    "Keycloak refused the %s: %s".formatted(what, response.readEntity(String.class)),
                    response.getStatus());
        }
        String path = response.getLocation().getPath();
        return path.substring(path.lastIndexOf('/') + 1);
    }

    public Optional<Person> personBySubject(String subject) {
        return call(realm -> {
            try {
                UserRepresentation user = realm.users().get(subject).toRepresentation();
                return Optional.of(new Person(user.getId(), user.getUsername()));
            } catch (NotFoundException e) {
                return Optional.empty();
            }
        });
    }

    public Optional<Person> personByUsername(String username) {
        return call(realm -> realm.users().searchByUsername(username, true).stream()
                .findFirst()
                .map(user -> new Person(user.getId(), user.getUsername())));
    }

    /** Makes a person a member of the organization, so that the tokens name it. */
    public void join(UUID organizationId, String subject) {
        call(realm -> {
            try (Response response = realm.organizations()
                    .get(organizationId.toString())
                    .members()
                    .addMember(subject)) {
                // 409: a member already.
                if (response.getStatus() != Response.Status.CONFLICT.getStatusCode()
                        && response.getStatusInfo().getFamily() != Response.Status.Family.SUCCESSFUL) {
                    throw new ClientErrorException("Keycloak refused the membership", response.getStatus());
                }
                return "";
            }
        });
    }

    /** Makes a client whose tokens are for the tenants' part and name the organization. */
    public MachineClient createClient(String clientId, String name, UUID organizationId) {
        return call(realm -> {
            ClientRepresentation client = new ClientRepresentation();
            client.setClientId(clientId);
            client.setName(name);
            client.setEnabled(true);
            client.setPublicClient(false);
            client.setServiceAccountsEnabled(true);
            client.setStandardFlowEnabled(false);
            client.setImplicitFlowEnabled(false);
            client.setDirectAccessGrantsEnabled(false);
            client.setAttributes(Map.of("weir_organization_id", organizationId.toString()));
            client.setDefaultClientScopes(List.of("basic", "service_account"));
            client.setOptionalClientScopes(List.of());
            client.setProtocolMappers(List.of(
                    mapper(
                            "weir_organization_id",
                            "oidc-hardcoded-claim-mapper",
                            Map.of(
                                    "claim.name", "weir_organization_id",
                                    "claim.value", organizationId.toString(),
                                    "jsonType.label", "String",
                                    "access.token.claim", "true")),
                    mapper(
                            "audience " + Caller.TENANTS_AUDIENCE,
                            "oidc-audience-mapper",
                            Map.of(
                                    "included.client.audience",
                                    Caller.TENANTS_AUDIENCE,
                                    "access.token.claim",
                                    "true"))));
            try (Response response = realm.clients().create(client)) {
                String id = createdId(response, "client");
                UserRepresentation user = realm.clients().get(id).getServiceAccountUser();
                return new MachineClient(
                        clientId, realm.clients().get(id).getSecret().getValue(), user.getId());
            }
        });
    }

    private static ProtocolMapperRepresentation mapper(String name, String kind, Map<String, String> config) {
        ProtocolMapperRepresentation mapper = new ProtocolMapperRepresentation();
        mapper.setName(name);
        mapper.setProtocol("openid-connect");
        mapper.setProtocolMapper(kind);
        mapper.setConfig(config);
        return mapper;
    }

    /** A new secret in place of the old one, which ends at once; empty if there is no such client. */
    public Optional<String> rotateSecret(String clientId) {
        return call(realm -> realm.clients().findByClientId(clientId).stream()
                .findFirst()
                .map(client ->
                        realm.clients().get(client.getId()).generateNewSecret().getValue()));
    }

    /** Ids of all clients that begin like this. */
    public List<String> clientIds(String beginning) {
        return call(realm -> {
            List<String> found = new ArrayList<>();
            for (int first = 0; ; first += PAGE) {
                List<ClientRepresentation> page = realm.clients().findAll(beginning, false, true, first, PAGE);
                page.stream()
                        .map(ClientRepresentation::getClientId)
                        .filter(id -> id.startsWith(beginning))
                        .forEach(found::add);
                if (page.size() < PAGE) {
                    return found;
                }
            }
        });
    }

    /** Harmless if there is none. */
    public void deleteClient(String clientId) {
        call(realm -> {
            realm.clients()
                    .findByClientId(clientId)
                    .forEach(client -> realm.clients().get(client.getId()).remove());
            return "";
        });
    }

    @Override
    public void destroy() {
        if (keycloak instanceof Lazy<Keycloak> lazy && lazy.value != null) {
            lazy.get().close();
        }
    }
}
