// SPDX-License-Identifier: Apache-2.0
package dev.weir.bench.api;

import dev.weir.testbed.servers.KeycloakServer;
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
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Projects full of load balancers, made through the api, and the calls that are measured on them. */
final class Fleet implements AutoCloseable {
    static final int MEMBERS = 10;

    private static final JsonMapper JSON = JsonMapper.shared();
    private static final Duration LONGEST_CALL = Duration.ofSeconds(60);
    // Tokens of a realm last minutes; they are renewed well before.
    private static final Duration TOKEN_AGE = Duration.ofMinutes(2);

    private final HttpClient http =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final String api;
    private final KeycloakServer keycloak;
    private final List<Project> projects = new ArrayList<>();
    private final List<Target> targets = Collections.synchronizedList(new ArrayList<>());

    Fleet(String api, KeycloakServer keycloak) {
        this.api = api;
        this.keycloak = keycloak;
    }

    /** A load balancer, and one of its members. */
    record Target(Project project, String path, String member) {}

    /** A project and a machine client that is its admin. */
    final class Project {
        private final String path;
        private final String clientId;
        private final String secret;
        private String token = "";
        private long tokenFrom;

        Project(String path, String clientId, String secret) {
            this.path = path;
            this.clientId = clientId;
            this.secret = secret;
        }

        synchronized String token() throws IOException, InterruptedException {
            if (token.isEmpty() || System.nanoTime() - tokenFrom > TOKEN_AGE.toNanos()) {
                token = Fleet.this.token(clientId, secret);
                tokenFrom = System.nanoTime();
            }
            return token;
        }
    }

    List<Target> targets() {
        return targets;
    }

    Project project(int number) {
        return projects.get(number % projects.size());
    }

    void fill(int projectCount, int loadBalancers) throws Exception {
        String operator = token("weir-operator", "weir-operator");
        String tenant = text(call(operator, "POST", "/v1/tenants", "{\"name\": \"bench\"}", Map.of()), "id");
        for (int i = 0; i < projectCount; i++) {
            String path = "/v1/projects/"
                    + text(call(operator, "POST", "/v1/projects", """
                                    {"tenant_id": "%s", "name": "p%d", "member_cidrs": ["10.0.0.0/8"]}""".formatted(tenant, i), Map.of()), "id");
            JsonNode account = call(operator, "POST", path + "/service-accounts", """
                    {"name": "bench", "role": "admin"}""", Map.of());
            projects.add(new Project(path, text(account, "client_id"), text(account, "client_secret")));
        }
        Semaphore atOnce = new Semaphore(16);
        List<Future<?>> made = new ArrayList<>();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i = 0; i < loadBalancers; i++) {
                int number = i;
                made.add(threads.submit(() -> {
                    atOnce.acquire();
                    try {
                        targets.add(create(project(number), "lb-" + number, MEMBERS));
                    } finally {
                        atOnce.release();
                    }
                    return number;
                }));
            }
        }
        for (Future<?> one : made) {
            one.get();
        }
    }

    Target create(Project project, String name, int members) throws IOException, InterruptedException {
        JsonNode created =
                call(project.token(), "POST", project.path + "/load-balancers", tree(name, members, 100), Map.of());
        String path = project.path + "/load-balancers/" + text(created, "id");
        JsonNode pool = created.path("pools").path(0);
        return new Target(
                project,
                path,
                "%s/pools/%s/members/%s"
                        .formatted(
                                path, text(pool, "id"), pool.at("/members/0/id").asString()));
    }

    /** @param weight of every member: another one makes another tree */
    static String tree(String name, int members, int weight) {
        return """
                {"name": "%s",
                 "listeners": [{"name": "http", "protocol": "tcp", "port_ranges": [{"first": 80, "last": 80}],
                     "pool_name": "web"}],
                 "pools": [{"name": "web", "members": [%s]}]}""".formatted(
                        name,
                        IntStream.range(0, members)
                                .mapToObj(i -> "{\"address\": \"10.0.%d.%d\", \"weight\": %d}"
                                        .formatted(i / 250, 1 + i % 250, weight))
                                .collect(Collectors.joining(",")));
    }

    void get(Target target) throws IOException, InterruptedException {
        call(target.project().token(), "GET", target.path(), null, Map.of());
    }

    void list(Target target) throws IOException, InterruptedException {
        call(target.project().token(), "GET", target.project().path + "/load-balancers?limit=50", null, Map.of());
    }

    void write(Target target, int weight) throws IOException, InterruptedException {
        call(target.project().token(), "PATCH", target.member(), "{\"weight\": %d}".formatted(weight), Map.of());
    }

    void replace(Target target, String tree) throws IOException, InterruptedException {
        call(target.project().token(), "PUT", target.path() + "/tree", tree, Map.of("If-Match", "*"));
    }

    private JsonNode call(String token, String method, String path, @Nullable String body, Map<String, String> headers)
            throws IOException, InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(api + path))
                .timeout(LONGEST_CALL)
                .header("Authorization", "Bearer " + token)
                .method(method, body == null ? BodyPublishers.noBody() : BodyPublishers.ofString(body));
        if (body != null) {
            request.header("Content-Type", "application/json");
        }
        headers.forEach(request::header);
        HttpResponse<byte[]> response = http.send(request.build(), BodyHandlers.ofByteArray());
        // A fleet is made in a hurry; what is measured never waits and repeats.
        for (int tries = 0; method.equals("POST") && response.statusCode() == 503 && tries < 10; tries++) {
            Thread.sleep(1_000);
            response = http.send(request.build(), BodyHandlers.ofByteArray());
        }
        if (response.statusCode() / 100 != 2) {
            throw new IOException("%s %s: %d %s"
                    .formatted(
                            method, path, response.statusCode(), new String(response.body(), StandardCharsets.UTF_8)));
        }
        // Reading what a measured call answers is not the service's work.
        return method.equals("POST") ? JSON.readTree(response.body()) : JSON.nullNode();
    }

    private String token(String clientId, String secret) throws IOException, InterruptedException {
        String form = "grant_type=client_credentials&client_id=%s&client_secret=%s"
                .formatted(clientId, URLEncoder.encode(secret, StandardCharsets.UTF_8));
        HttpResponse<String> response = http.send(
                HttpRequest.newBuilder(URI.create(keycloak.issuer() + "/protocol/openid-connect/token"))
                        .timeout(LONGEST_CALL)
                        .header("Content-Type", "application/x-www-form-urlencoded")
                        .POST(BodyPublishers.ofString(form))
                        .build(),
                BodyHandlers.ofString());
        if (response.statusCode() != 200) {
            throw new IOException("no token: " + response.body());
        }
        return text(JSON.readTree(response.body()), "access_token");
    }

    private static String text(JsonNode node, String name) {
        return node.path(name).asString();
    }

    @Override
    public void close() {
        http.close();
    }
}
