// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.demo;

import java.net.URI;

/**
 * Whom the demo is and where it calls.
 *
 * @param api          the API's address, without a path
 * @param tokenUrl     the issuer's token endpoint
 * @param clientId     a service account of the project, with the role editor or more
 * @param clientSecret its secret
 * @param projectId    the project in which it makes and deletes what it needs
 */
public record DemoSettings(URI api, URI tokenUrl, String clientId, String clientSecret, String projectId) {
    @Override
    public String toString() {
        return "DemoSettings[api=" + api + ", clientId=" + clientId + ", projectId=" + projectId + "]";
    }
}
