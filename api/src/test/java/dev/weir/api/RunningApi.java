// SPDX-License-Identifier: Apache-2.0
package dev.weir.api;

import dev.weir.testbed.servers.KeycloakServer;
import dev.weir.testbed.servers.PostgresServer;
import dev.weir.testbed.servers.TestServers;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.web.server.context.WebServerApplicationContext;
import org.springframework.context.ConfigurableApplicationContext;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The service on a real PostgreSQL and a real Keycloak, once for all tests of a JVM. */
final class RunningApi {
    private static final JsonMapper JSON = JsonMapper.shared();
    private static final AtomicInteger NAMES = new AtomicInteger();

    private static @Nullable RunningApi instance;

    private final PostgresServer postgres = TestServers.postgres();
    private final KeycloakServer keycloak = TestServers.keycloak();
    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build();
    private final String url;
    private final String managementUrl;

    private RunningApi() {
        ConfigurableApplicationContext context = start("weir", Duration.ofSeconds(2));
        url = url(context);
        managementUrl = "http://127.0.0.1:" + context.getEnvironment().getProperty("local.management.port");
    }

    private ConfigurableApplicationContext start(String database, Duration orphansInterval) {
        return SpringApplication.run(
                ApiApplication.class,
                "--server.port=0",
                "--management.server.port=0",
                "--weir.rate-limit.requests=100000",
                "--weir.access.orphans-interval=" + orphansInterval,
                "--spring.flyway.url=" + postgres.jdbcUrl(database),
                "--spring.flyway.password=" + postgres.password("weir_owner"),
                "--weir.database.url=" + postgres.jdbcUrl(database),
                "--weir.database.api-password=" + postgres.password("weir_api"),
                "--weir.database.operator-password=" + postgres.password("weir_operator"),
                "--weir.oidc.issuer=" + keycloak.issuer(),
                "--weir.oidc.keycloak-url=" + keycloak.url(),
                "--weir.oidc.admin-client-secret=weir-api-admin");
    }

    static String url(ConfigurableApplicationContext context) {
        return "http://127.0.0.1:"
                + Objects.requireNonNull(((WebServerApplicationContext) context).getWebServer())
                        .getPort();
    }

    /** A second service, on another database of the same server; for the caller to close. */
    ConfigurableApplicationContext another(String database) {
        // To it, all service accounts of the first one would be orphans.
        return start(database, Duration.ofDays(1));
    }

    static synchronized RunningApi get() {
        RunningApi running = instance;
        if (running == null) {
            running = new RunningApi();
            instance = running;
        }
        return running;
    }

    String url() {
        return url;
    }

    PostgresServer postgres() {
        return postgres;
    }

    KeycloakServer keycloak() {
        return keycloak;
    }

    /** An answer, its body read as JSON where it is any. */
    record Answer(int status, JsonNode body, Map<String, String> headers) {
        String header(String name) {
            return headers.getOrDefault(name, "");
        }

        String text(String name) {
            return body.path(name).asString();
        }

        /** JSON Pointers of a problem's faults. */
        java.util.List<String> pointers() {
            return body.path("errors")
                    .valueStream()
                    .map(error -> error.path("pointer").asString())
                    .toList();
        }
    }

    Answer get(String token, String path) {
        return call(token, "GET", path, null, Map.of());
    }

    Answer post(String token, String path, @Nullable String body) {
        return call(token, "POST", path, body, Map.of());
    }

    Answer delete(String token, String path) {
        return call(token, "DELETE", path, null, Map.of());
    }

    Answer patch(String token, String path, String body) {
        return call(token, "PATCH", path, body, Map.of());
    }

    /** What the port for operators answers. */
    Answer management(String path) {
        return call(managementUrl, null, "GET", path, null, Map.of());
    }

    Answer call(
            @Nullable String token, String method, String path, @Nullable String body, Map<String, String> headers) {
        return call(url, token, method, path, body, headers);
    }

    /** @param server address of another instance */
    Answer call(
            String server,
            @Nullable String token,
            String method,
            String path,
            @Nullable String body,
            Map<String, String> headers) {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(server + path))
                .timeout(Duration.ofSeconds(30))
                .method(method, body == null ? BodyPublishers.noBody() : BodyPublishers.ofString(body));
        if (token != null) {
            request.header("Authorization", "Bearer " + token);
        }
        if (body != null) {
            request.header("Content-Type", "application/json");
        }
        headers.forEach(request::header);
        try {
            HttpResponse<String> response = http.send(request.build(), BodyHandlers.ofString());
            boolean json = response.headers()
                    .firstValue("Content-Type")
                    .filter(type -> type.contains("json"))
                    .isPresent();
            return new Answer(
                    response.statusCode(),
                    json
                            ? JSON.readTree(response.body())
                            : JSON.getNodeFactory().stringNode(response.body()),
                    response.headers().map().entrySet().stream()
                            .collect(Collectors.toMap(
                                    Map.Entry::getKey, entry -> entry.getValue().getFirst())));
        } catch (IOException e) {
            throw new IllegalStateException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    String operatorToken() {
        return token("weir-operator", "weir-operator");
    }

    String token(String clientId, String clientSecret) {
        return token(Map.of("grant_type", "client_credentials", "client_id", clientId, "client_secret", clientSecret));
    }

    String personToken(String username) {
        return token(Map.of(
                "grant_type",
                "password",
                "client_id",
                "weir-testbed-people",
                "username",
                username,
                "password",
                KeycloakServer.PEOPLE_PASSWORD,
                "scope",
                "openid"));
    }

    private String token(Map<String, String> form) {
        String body = form.entrySet().stream()
                .map(entry -> entry.getKey() + "=" + URLEncoder.encode(entry.getValue(), StandardCharsets.UTF_8))
                .collect(Collectors.joining("&"));
        try {
            HttpResponse<String> response = http.send(
                    HttpRequest.newBuilder(URI.create(keycloak.issuer() + "/protocol/openid-connect/token"))
                            .timeout(Duration.ofSeconds(30))
                            .header("Content-Type", "application/x-www-form-urlencoded")
                            .POST(BodyPublishers.ofString(body))
                            .build(),
                    BodyHandlers.ofString());
            if (response.statusCode() != 200) {
                throw new IllegalStateException("no token: " + response.body());
            }
            return JSON.readTree(response.body()).path("access_token").asString();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    /** A name that no other test uses. */
    static String name(String beginning) {
        return "%s-%d".formatted(beginning, NAMES.incrementAndGet());
    }

    /**
     * A project of a tenant of its own.
     *
     * @param token of a service account that is admin in it
     */
    record TestProject(String tenantId, String projectId, String token) {
        String path(String rest) {
            return "/v1/projects/" + projectId + rest;
        }
    }

    TestProject project(String name, String... memberCidrs) {
        String operator = operatorToken();
        String unique = name(name);
        String tenant = created(post(operator, "/v1/tenants", """
                {"name": "%s", "display_name": "%s"}""".formatted(unique, unique)))
                .text("id");
        String project = created(post(
                        operator, "/v1/projects", """
                {"tenant_id": "%s", "name": "%s", "member_cidrs": ["%s"]}""".formatted(tenant, unique, String.join("\", \"", memberCidrs))))
                .text("id");
        Answer account = created(post(operator, "/v1/projects/" + project + "/service-accounts", """
                {"name": "robot", "role": "admin"}"""));
        return new TestProject(tenant, project, token(account.text("client_id"), account.text("client_secret")));
    }

    /** A VIP prefix that no other test uses; its pool is made. */
    String addressPool() {
        int number = NAMES.incrementAndGet();
        String prefix = "100.%d.%d.0/28".formatted(64 + number / 256, number % 256);
        return created(post(operatorToken(), "/v1/address-pools", """
                {"name": "pool-%d", "prefixes": ["%s"]}""".formatted(number, prefix)))
                .text("id");
    }

    static Answer created(Answer answer) {
        if (answer.status() != 201) {
            throw new AssertionError("expected 201, got " + answer);
        }
        return answer;
    }

    /** What a query of the database's owner answers, as text. */
    String query(String sql) {
        try (Connection connection = postgres.connect("weir", "weir_owner");
                var statement = connection.createStatement();
                var rows = statement.executeQuery(sql)) {
            rows.next();
            return String.valueOf(rows.getString(1));
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    /** A statement of the database's owner. */
    void execute(String sql) {
        try (Connection connection = postgres.connect("weir", "weir_owner");
                var statement = connection.createStatement()) {
            statement.execute(sql);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }
}
