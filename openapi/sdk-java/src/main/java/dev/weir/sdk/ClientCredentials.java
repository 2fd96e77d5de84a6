// SPDX-License-Identifier: Apache-2.0
package dev.weir.sdk;

import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.locks.ReentrantLock;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Tokens of a service account. A token is used until shortly before it expires. */
public final class ClientCredentials implements TokenSource {
    private static final JsonMapper JSON = JsonMapper.shared();
    private static final Duration LONGEST_CALL = Duration.ofSeconds(10);
    // A token must outlive the call that carries it, and clocks differ.
    private static final Duration MARGIN = Duration.ofSeconds(20);

    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(LONGEST_CALL).build();
    // Not a monitor: a virtual thread that waits for a token must not hold its carrier.
    private final ReentrantLock lock = new ReentrantLock();
    private final URI tokenUrl;
    private final String form;
    private final InstantSource clock;
    private String token = "";
    private Instant renewAt = Instant.MIN;

    /**
     * @param tokenUrl the identity provider's token endpoint
     * @param clientId of the service account
     * @param clientSecret as shown when the account was created or its secret rotated
     */
    public ClientCredentials(URI tokenUrl, String clientId, String clientSecret) {
        this(tokenUrl, clientId, clientSecret, InstantSource.system());
    }

    ClientCredentials(URI tokenUrl, String clientId, String clientSecret, InstantSource clock) {
        this.tokenUrl = tokenUrl;
        this.clock = clock;
        form = "grant_type=client_credentials&client_id=%s&client_secret=%s"
                .formatted(encode(clientId), encode(clientSecret));
    }

    private static String encode(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }

    @Override
    public String token() throws IOException, InterruptedException {
        lock.lockInterruptibly();
        try {
            if (!clock.instant().isBefore(renewAt)) {
                renew();
            }
            return token;
        } finally {
            lock.unlock();
        }
    }

    private void renew() throws IOException, InterruptedException {
        Instant asked = clock.instant();
        HttpResponse<String> response = http.send(
                HttpRequest.newBuilder(tokenUrl)
                        .timeout(LONGEST_CALL)
                        .header("Content-Type", "application/x-www-form-urlencoded")
                        .POST(BodyPublishers.ofString(form))
                        .build(),
                BodyHandlers.ofString());
        if (response.statusCode() != 200) {
            throw new IOException("%s gave no token: %d".formatted(tokenUrl, response.statusCode()));
        }
        JsonNode answer = read(response.body());
        token = answer.path("access_token").asString("");
        if (token.isEmpty()) {
            throw new IOException(tokenUrl + " answered without an access_token");
        }
        renewAt = asked.plusSeconds(answer.path("expires_in").asLong(0)).minus(MARGIN);
    }

    private JsonNode read(String body) throws IOException {
        try {
            return JSON.readTree(body);
        } catch (JacksonException e) {
            throw new IOException(tokenUrl + " answered something else than JSON", e);
        }
    }
}
