// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.seed;

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
import java.util.Optional;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** The REST API as one caller sees it. */
final class RestApi {
    private static final Duration LONGEST_CALL = Duration.ofSeconds(30);
    private static final JsonMapper JSON = JsonMapper.shared();

    private final HttpClient http;
    private final URI base;
    private final String token;

    RestApi(HttpClient http, URI base, String token) {
        this.http = http;
        this.base = base;
        this.token = token;
    }

    JsonNode get(String path) throws IOException, InterruptedException {
        return call("GET", path, Optional.empty());
    }

    JsonNode post(String path, ObjectNode body) throws IOException, InterruptedException {
        return call("POST", path, Optional.of(body));
    }

    JsonNode patch(String path, ObjectNode body) throws IOException, InterruptedException {
        return call("PATCH", path, Optional.of(body));
    }

    void delete(String path) throws IOException, InterruptedException {
        call("DELETE", path, Optional.empty());
    }

    /** The resource of that name in a collection. */
    Optional<JsonNode> find(String collection, String name) throws IOException, InterruptedException {
        String query = "?name=" + URLEncoder.encode(name, StandardCharsets.UTF_8);
        return get(collection + query)
                .required("items")
                .valueStream()
                .filter(item -> name.equals(item.path("name").stringValue("")))
                .findFirst();
    }

    /** The resource of the body's name, made now if it does not exist. */
    JsonNode findOrCreate(String collection, ObjectNode body) throws IOException, InterruptedException {
        Optional<JsonNode> found = find(collection, body.required("name").stringValue());
        return found.isPresent() ? found.get() : post(collection, body);
    }

    private JsonNode call(String method, String path, Optional<ObjectNode> body)
            throws IOException, InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder(base.resolve(path))
                .timeout(LONGEST_CALL)
                .header("Authorization", "Bearer " + token)
                .header("Accept", "application/json")
                .method(
                        method,
                        body.isPresent()
                                ? BodyPublishers.ofString(JSON.writeValueAsString(body.get()))
                                : BodyPublishers.noBody());
        if (body.isPresent()) {
            request.header("Content-Type", "application/json");
        }
        HttpResponse<String> response = http.send(request.build(), BodyHandlers.ofString());
        if (response.statusCode() / 100 != 2) {
            throw new IOException(method + " " + path + " answered " + response.statusCode() + ": " + response.body());
        }
        return response.body().isEmpty() ? JSON.nullNode() : JSON.readTree(response.body());
    }
}
