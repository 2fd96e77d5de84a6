// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.scenario;

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
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Calls the API as a service account of one project; single-threaded. */
public final class ProjectApi implements AutoCloseable {
    private static final Duration TIMEOUT = Duration.ofSeconds(10);
    private static final Duration TOKEN_MARGIN = Duration.ofSeconds(20);

    private final ProjectAccess settings;
    private final JsonMapper json = JsonMapper.shared();
    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(TIMEOUT).build();
    private String token = "";
    private Instant tokenEnds = Instant.MIN;

    public ProjectApi(ProjectAccess settings) {
        this.settings = settings;
    }

    public JsonNode get(String path) throws IOException, InterruptedException {
        return call("GET", path, null);
    }

    public JsonNode post(String path, Object body) throws IOException, InterruptedException {
        return call("POST", path, body);
    }

    public void patch(String path, Object body) throws IOException, InterruptedException {
        call("PATCH", path, body);
    }

    /** Replaces a resource that is still of the version. */
    public JsonNode put(String path, Object body, long version) throws IOException, InterruptedException {
        return json.readTree(
                send("PUT", path, body, "If-Match", "\"" + version + "\"").body());
    }

    public void delete(String path) throws IOException, InterruptedException {
        call("DELETE", path, null);
    }

    /** A path below the project. */
    public String inProject(String path) {
        return "/v1/projects/" + settings.projectId() + path;
    }

    private JsonNode call(String method, String path, @Nullable Object body) throws IOException, InterruptedException {
        String answer = send(method, path, body).body();
        return json.readTree(answer.isEmpty() ? "{}" : answer);
    }

    private HttpResponse<String> send(String method, String path, @Nullable Object body, String... headers)
            throws IOException, InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder(settings.api().resolve(path))
                .timeout(TIMEOUT)
                .header("Authorization", "Bearer " + token())
                .header("Accept", "application/json, application/problem+json");
        if (headers.length > 0) {
            request.headers(headers);
        }
        if (body == null) {
            request.method(method, BodyPublishers.noBody());
        } else {
            request.header("Content-Type", "application/json")
                    .method(method, BodyPublishers.ofString(json.writeValueAsString(body)));
        }
        HttpResponse<String> response = http.send(request.build(), BodyHandlers.ofString());
        if (response.statusCode() >= 300) {
            throw new ApiException(method + " " + path, response.statusCode(), response.body());
        }
        return response;
    }

    private String token() throws IOException, InterruptedException {
        if (Instant.now().isBefore(tokenEnds)) {
            return token;
        }
        String form = Map.of(
                        "grant_type", "client_credentials",
                        "client_id", settings.clientId(),
                        "client_secret", settings.clientSecret())
                .entrySet()
                .stream()
                .map(entry -> entry.getKey() + "=" + URLEncoder.encode(entry.getValue(), StandardCharsets.UTF_8))
                .collect(Collectors.joining("&"));
        URI url = settings.tokenUrl();
        HttpRequest request = HttpRequest.newBuilder(url)
                .timeout(TIMEOUT)
                .header("Content-Type", "application/x-www-form-urlencoded")
                .POST(BodyPublishers.ofString(form))
                .build();
        HttpResponse<String> response = http.send(request, BodyHandlers.ofString());
        if (response.statusCode() != 200) {
            throw new ApiException("POST " + url, response.statusCode(), response.body());
        }
        JsonNode answer = json.readTree(response.body());
        token = answer.path("access_token").asString();
        tokenEnds =
                Instant.now().plusSeconds(answer.path("expires_in").asInt(60)).minus(TOKEN_MARGIN);
        return token;
    }

    @Override
    public void close() {
        http.close();
    }
}
