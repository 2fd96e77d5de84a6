// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.scenario;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/**
 * Who calls the API, and where.
 *
 * @param api          the API's address, without a path
 * @param tokenUrl     the issuer's token endpoint
 * @param clientId     a service account of the project, with the role editor or more
 * @param clientSecret its secret
 * @param projectId    the project in which it makes and deletes what it needs
 */
public record ProjectAccess(URI api, URI tokenUrl, String clientId, String clientSecret, String projectId) {
    /**
     * Reads shell exports as {@code ./weir env} prints them.
     *
     * @throws IOException if the file is missing or names less than is needed
     */
    public static ProjectAccess ofExports(Path file) throws IOException {
        Map<String, String> values = new HashMap<>();
        for (String line : Files.readAllLines(file)) {
            String[] parts = line.replaceFirst("^export ", "").split("=", 2);
            if (parts.length == 2) {
                values.put(parts[0], parts[1]);
            }
        }
        return new ProjectAccess(
                URI.create(required(values, "WEIR_API")),
                URI.create(required(values, "WEIR_TOKEN_URL")),
                required(values, "WEIR_CLIENT_ID"),
                required(values, "WEIR_CLIENT_SECRET"),
                required(values, "WEIR_PROJECT"));
    }

    private static String required(Map<String, String> values, String name) throws IOException {
        String value = values.get(name);
        if (value == null || value.isEmpty()) {
            throw new IOException("the credentials lack " + name + "; run ./weir up again");
        }
        return value;
    }

    @Override
    public String toString() {
        return "ProjectAccess[api=" + api + ", clientId=" + clientId + ", projectId=" + projectId + "]";
    }
}
