// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.access;

import dev.weir.db.session.Session;
import dev.weir.db.session.Session.DatabaseRole;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.security.core.Authentication;
import org.springframework.security.core.context.SecurityContextHolder;
import org.springframework.security.oauth2.jwt.Jwt;

/**
 * Who calls, as the token says.
 *
 * @param subject {@code sub}
 * @param name user name or client id, for people to read
 * @param tenants whether the token is for the tenants' part
 * @param operator whether it is for the operators' part, and its holder an operator
 * @param organizationIds the organizations that it names, by id; never by name, since names change hands
 */
record Caller(String subject, @Nullable String name, boolean tenants, boolean operator, Set<UUID> organizationIds) {
    static final String TENANTS_AUDIENCE = "weir-api";
    static final String OPERATORS_AUDIENCE = "weir-operator";
    private static final String OPERATOR_ROLE = "operator";

    Caller {
        organizationIds = Set.copyOf(organizationIds);
    }

    /** Of the current request; empty when it came without a valid token. */
    static Optional<Caller> current() {
        Authentication authentication = SecurityContextHolder.getContext().getAuthentication();
        return authentication != null && authentication.getPrincipal() instanceof Jwt token
                ? Optional.of(of(token))
                : Optional.empty();
    }

    static Caller of(Jwt token) {
        List<String> audience = token.getAudience() == null ? List.of() : token.getAudience();
        Set<UUID> organizations = new HashSet<>();
        if (token.getClaim("organization") instanceof Map<?, ?> named) {
            named.values().forEach(value -> {
                if (value instanceof Map<?, ?> organization) {
                    add(organizations, organization.get("id"));
                }
            });
        }
        add(organizations, token.getClaim("weir_organization_id"));
        String name = token.getClaimAsString("preferred_username");
        return new Caller(
                String.valueOf(token.getSubject()),
                name == null ? token.getClaimAsString("client_id") : name,
                audience.contains(TENANTS_AUDIENCE),
                audience.contains(OPERATORS_AUDIENCE) && realmRoles(token).contains(OPERATOR_ROLE),
                organizations);
    }

    private static List<?> realmRoles(Jwt token) {
        return token.getClaim("realm_access") instanceof Map<?, ?> access
                        && access.get("roles") instanceof List<?> roles
                ? roles
                : List.of();
    }

    private static void add(Set<UUID> ids, @Nullable Object id) {
        if (id instanceof String text) {
            try {
                ids.add(UUID.fromString(text));
            } catch (IllegalArgumentException e) {
                // Not an id of ours: the token then names one organization less.
            }
        }
    }

    /** For what concerns no part of the API in particular. */
    Session ownSession() {
        return operator ? operatorSession() : session();
    }

    Session session() {
        return new Session(DatabaseRole.API, subject, organizationIds);
    }

    Session operatorSession() {
        return new Session(DatabaseRole.OPERATOR, subject, organizationIds);
    }
}
