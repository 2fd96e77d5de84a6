// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.identity;

import java.io.IOException;
import java.io.Reader;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Properties;
import org.jspecify.annotations.Nullable;

/**
 * Where this node gets its certificate, from the agent's properties file.
 *
 * @param api       {@code enrol.api}: the API's address, without a path
 * @param apiCa     {@code enrol.ca}: who is trusted to be the API, PEM; null: whom Java trusts
 * @param tokenFile {@code enrol.token.file}: an operator's token; used when there is no certificate yet
 */
public record EnrolmentSettings(
        String nodeId,
        String popId,
        Path certificate,
        Path key,
        Path authority,
        URI api,
        @Nullable Path apiCa,
        @Nullable Path tokenFile) {

    /** @return empty if the file names no API: somebody else renews the certificate */
    public static Optional<EnrolmentSettings> load(Path file) throws IOException {
        Properties properties = new Properties();
        try (Reader reader = Files.newBufferedReader(file)) {
            properties.load(reader);
        }
        Optional<String> api = text(properties, "enrol.api");
        if (api.isEmpty()) {
            return Optional.empty();
        }
        return Optional.of(new EnrolmentSettings(
                required(properties, "node.id"),
                required(properties, "pop.id"),
                Path.of(required(properties, "kafka.cert")),
                Path.of(required(properties, "kafka.key")),
                Path.of(required(properties, "kafka.ca")),
                uri(api.get()),
                text(properties, "enrol.ca").map(Path::of).orElse(null),
                text(properties, "enrol.token.file").map(Path::of).orElse(null)));
    }

    private static URI uri(String text) throws IOException {
        try {
            URI uri = URI.create(text);
            if (("https".equals(uri.getScheme()) || "http".equals(uri.getScheme())) && uri.getHost() != null) {
                return uri;
            }
        } catch (IllegalArgumentException e) {
            // Said below.
        }
        throw new IOException("the setting enrol.api is not an http or https address: " + text);
    }

    private static Optional<String> text(Properties properties, String name) {
        return Optional.of(properties.getProperty(name, "").strip()).filter(value -> !value.isEmpty());
    }

    private static String required(Properties properties, String name) throws IOException {
        return text(properties, name).orElseThrow(() -> new IOException("the setting " + name + " is missing"));
    }
}
