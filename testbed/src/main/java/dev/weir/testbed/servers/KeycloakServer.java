// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.servers;

import dev.weir.testbed.Part;
import dev.weir.testbed.process.ManagedProcess;
import dev.weir.testbed.process.ProcessSpec;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import tools.jackson.databind.json.JsonMapper;

/**
 * A real Keycloak on the loopback address with the realm {@code weir}.
 *
 * <p>People of the realm: {@code operator@weir.example}, {@code alice@acme.example}, {@code bob@globex.example}, all with the password
 * {@link #PEOPLE_PASSWORD}. Machine clients: {@code weir-operator} and {@code weir-api-admin}.
 */
public final class KeycloakServer implements Part {
    /** Good for a server that only the own machine reaches. */
    public static final String PEOPLE_PASSWORD = "weir-testbed";

    private static final Duration LONGEST_START = Duration.ofSeconds(180);
    private static final Duration LONGEST_CALL = Duration.ofSeconds(20);

    private final Place place;
    private final Settings settings;
    private final Path home;
    private final ManagedProcess process;
    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(1)).build();

    /**
     * @param port         the only port, on the loopback address
     * @param postgres     keeps its data, in database {@code keycloak}
     * @param dashboardUrl where the dashboard is served, without a path
     * @param secrets      a secret for each of the clients {@code weir-operator} and {@code weir-api-admin}, and the password of the
     *                     bootstrap {@code admin}; they take effect when the realm is first imported
     * @param jvmOptions   more options for the JVM
     */
    public record Settings(
            int port,
            PostgresServer postgres,
            String dashboardUrl,
            Map<String, String> secrets,
            List<String> jvmOptions) {
        public Settings {
            secrets = Map.copyOf(secrets);
            for (String name : List.of("weir-operator", "weir-api-admin", "admin")) {
                if (!secrets.containsKey(name)) {
                    throw new IllegalArgumentException("no secret for " + name);
                }
            }
        }
    }

    public KeycloakServer(Place place, Settings settings) throws IOException, InterruptedException {
        this.place = place;
        this.settings = settings;
        this.home = place.data();
        List<String> jvmOptions = new java.util.ArrayList<>(List.of("-Xmx320m", "-XX:TieredStopAtLevel=1"));
        jvmOptions.addAll(settings.jvmOptions());
        List<String> command = KeycloakDistribution.command(
                home,
                KeycloakDistribution.home(),
                jvmOptions,
                List.of(
                        "start",
                        "--optimized",
                        "--import-realm",
                        "--cache=local",
                        "--http-enabled=true",
                        "--http-host=127.0.0.1",
                        "--http-port=" + settings.port(),
                        "--hostname=" + url(),
                        "--db-url=" + settings.postgres().jdbcUrl("keycloak"),
                        "--db-username=keycloak",
                        "--db-pool-initial-size=2",
                        "--db-pool-max-size=20",
                        "--log-level=WARN,org.keycloak.quarkus:INFO"));
        Map<String, String> environment = new HashMap<>(place.environment());
        environment.put("KC_DB_PASSWORD", settings.postgres().password("keycloak"));
        environment.put("KC_BOOTSTRAP_ADMIN_USERNAME", "admin");
        environment.put("KC_BOOTSTRAP_ADMIN_PASSWORD", secret("admin"));
        this.process = new ManagedProcess(
                new ProcessSpec(name(), command, environment, place.data(), place.log(), place.pidFile(), false));
    }

    @Override
    public String name() {
        return "keycloak";
    }

    @Override
    public Path logFile() {
        return place.log();
    }

    /** Its own address, without a path. */
    public String url() {
        return "http://127.0.0.1:" + settings.port();
    }

    /** The issuer in the realm's tokens. */
    public String issuer() {
        return url() + "/realms/weir";
    }

    public String tokenUrl() {
        return issuer() + "/protocol/openid-connect/token";
    }

    /** The secret of one of the realm's machine clients. */
    public String secret(String client) {
        return Objects.requireNonNull(settings.secrets().get(client), client);
    }

    /** An access token of a machine client. */
    public String clientToken(String clientId, String secret) throws IOException, InterruptedException {
        return token(Map.of("grant_type", "client_credentials", "client_id", clientId, "client_secret", secret));
    }

    /** An access token of a fleet operator. */
    public String operatorToken() throws IOException, InterruptedException {
        return clientToken("weir-operator", secret("weir-operator"));
    }

    /** An access token of one of the realm's people, as the dashboard would get it. */
    public String personToken(String name) throws IOException, InterruptedException {
        return token(Map.of(
                "grant_type",
                "password",
                "client_id",
                "weir-testbed-people",
                "scope",
                "openid organization:*",
                "username",
                name,
                "password",
                PEOPLE_PASSWORD));
    }

    @Override
    public void start() throws IOException, InterruptedException {
        layOut();
        process.start();
        Wait.untilReady(process, LONGEST_START, this::answers);
    }

    @Override
    public void stop() throws IOException, InterruptedException {
        process.stop(Duration.ofSeconds(20));
    }

    @Override
    public void kill() throws IOException, InterruptedException {
        process.kill();
    }

    @Override
    public void crash() throws IOException, InterruptedException {
        kill();
        start();
    }

    @Override
    public boolean up() {
        try {
            return process.alive() && answers();
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private boolean answers() throws InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create(issuer() + "/.well-known/openid-configuration"))
                .timeout(Duration.ofSeconds(1))
                .build();
        try {
            return http.send(request, BodyHandlers.discarding()).statusCode() == 200;
        } catch (IOException _) {
            return false;
        }
    }

    private String token(Map<String, String> form) throws IOException, InterruptedException {
        String body = form.entrySet().stream()
                .map(entry -> entry.getKey() + "=" + URLEncoder.encode(entry.getValue(), StandardCharsets.UTF_8))
                .collect(Collectors.joining("&"));
        HttpRequest request = HttpRequest.newBuilder(URI.create(tokenUrl()))
                .timeout(LONGEST_CALL)
                .header("Content-Type", "application/x-www-form-urlencoded")
                .POST(BodyPublishers.ofString(body))
                .build();
        HttpResponse<String> response = http.send(request, BodyHandlers.ofString());
        if (response.statusCode() != 200) {
            throw new IOException("Keycloak gave no token (status " + response.statusCode() + "): " + response.body());
        }
        return JsonMapper.shared()
                .readTree(response.body())
                .required("access_token")
                .stringValue();
    }

    // The distribution is shared and never written to; what belongs to this server alone lies in its own home.
    private void layOut() throws IOException, InterruptedException {
        Path distribution = KeycloakDistribution.home();
        Path imports = home.resolve("data/import");
        Files.createDirectories(imports);
        for (String name : List.of("conf", "lib", "providers", "themes")) {
            Path link = home.resolve(name);
            Files.deleteIfExists(link);
            Files.createSymbolicLink(link, distribution.resolve(name));
        }
        Files.writeString(imports.resolve("weir-realm.json"), realm());
    }

    private String realm() throws IOException {
        try (InputStream in =
                Objects.requireNonNull(KeycloakServer.class.getResourceAsStream("/dev/weir/testbed/weir-realm.json"))) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8)
                    .replace("@dashboard_url@", settings.dashboardUrl())
                    .replace("@operator_secret@", secret("weir-operator"))
                    .replace("@api_admin_secret@", secret("weir-api-admin"))
                    .replace("@people_password@", PEOPLE_PASSWORD);
        }
    }
}
