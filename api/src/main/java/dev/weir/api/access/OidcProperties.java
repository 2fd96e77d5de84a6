// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.access;

import org.springframework.boot.context.properties.ConfigurationProperties;

/**
 * @param issuer the realm as tokens name it
 * @param keycloakUrl where this service reaches Keycloak
 * @param adminClientId client of this service for organizations, people and machine clients
 */
@ConfigurationProperties("weir.oidc")
record OidcProperties(String issuer, String keycloakUrl, String adminClientId, String adminClientSecret) {

    String realm() {
        return issuer.substring(issuer.lastIndexOf('/') + 1);
    }

    String keysUrl() {
        return keycloakUrl + "/realms/" + realm() + "/protocol/openid-connect/certs";
    }
}
