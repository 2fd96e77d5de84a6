// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.stack;

import dev.weir.testbed.Part;
import dev.weir.testbed.pki.Certificate;
import dev.weir.testbed.pki.Pki;
import dev.weir.testbed.servers.KafkaServer;
import dev.weir.testbed.servers.KeycloakServer;
import dev.weir.testbed.servers.Place;
import dev.weir.testbed.servers.PostgresServer;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The parts of the centre: three servers of others, three programs of our own. */
final class Centre {
    private final Settings settings;
    private final Map<String, String> mark;
    private final Pki pki;
    private final SpringJar apiJar;
    private final SpringJar provisionerJar;
    private final PostgresServer postgres;
    private final KafkaServer kafka;
    private final KeycloakServer keycloak;
    private final Part api;
    private final Part provisioner;
    private final Part dashboard;

    Centre(Settings settings) throws IOException, InterruptedException {
        this.settings = settings;
        this.mark = Map.of(Settings.MARK, settings.instance());
        this.pki = Pki.open(settings.data().resolve("pki").toAbsolutePath());
        this.apiJar = SpringJar.ofModule(settings, "api");
        this.provisionerJar = SpringJar.ofModule(settings, "provisioner");
        Secrets secrets = Secrets.open(settings.data());
        this.postgres = new PostgresServer(place("postgres"), settings.ports().postgres(), secrets.databaseRoles());
        this.kafka = new KafkaServer(place("kafka"), kafkaSettings());
        this.keycloak = new KeycloakServer(
                place("keycloak"),
                new KeycloakServer.Settings(
                        settings.ports().keycloak(), postgres, dashboardUrl(), secrets.clients(), List.of()));
        this.api = service("api", "-Xmx160m", apiJar, apiEnvironment(secrets), apiUrl() + "/healthz/ready");
        this.provisioner = service(
                "provisioner",
                "-Xmx128m",
                provisionerJar,
                provisionerEnvironment(secrets),
                "http://127.0.0.1:" + settings.ports().provisioner() + "/actuator/health/readiness");
        this.dashboard = dashboardPart();
    }

    PostgresServer postgres() {
        return postgres;
    }

    KafkaServer kafka() {
        return kafka;
    }

    KeycloakServer keycloak() {
        return keycloak;
    }

    Part api() {
        return api;
    }

    Part provisioner() {
        return provisioner;
    }

    Part dashboard() {
        return dashboard;
    }

    List<Part> parts() {
        return List.of(postgres, kafka, keycloak, api, provisioner, dashboard);
    }

    String apiUrl() {
        return "http://127.0.0.1:" + settings.ports().api();
    }

    String dashboardUrl() {
        return "http://127.0.0.1:" + settings.ports().dashboard();
    }

    /** Issues the centre's own certificates; the provisioner signs those of nodes in its name. */
    Pki authority() {
        return pki;
    }

    /** Lays out what Spring Boot packed, where a build changed it. */
    void unpack() throws IOException, InterruptedException {
        apiJar.extract();
        provisionerJar.extract();
    }

    private Place place(String name) {
        return new Place(
                settings.data().resolve(name),
                settings.logs().resolve(name + ".log"),
                settings.run().resolve(name + ".pid"),
                mark);
    }

    private KafkaServer.Settings kafkaSettings() {
        return new KafkaServer.Settings(
                settings.shape().coreAddress(),
                settings.ports().kafka(),
                settings.ports().kafka() + 1,
                Optional.of(settings.shape().namespace("core")),
                pki,
                List.of());
    }

    private Map<String, String> apiEnvironment(Secrets secrets) {
        Map<String, String> environment = new HashMap<>();
        environment.put("WEIR_DB_URL", postgres.jdbcUrl());
        environment.put("WEIR_DB_API_PASSWORD", secrets.get("weir_api"));
        environment.put("WEIR_DB_OPERATOR_PASSWORD", secrets.get("weir_operator"));
        environment.put("WEIR_DB_OWNER_PASSWORD", secrets.get("weir_owner"));
        environment.put("WEIR_OIDC_ISSUER", keycloak.issuer());
        environment.put("WEIR_KEYCLOAK_URL", keycloak.url());
        environment.put("WEIR_KEYCLOAK_ADMIN_CLIENT_ID", "weir-api-admin");
        environment.put("WEIR_KEYCLOAK_ADMIN_CLIENT_SECRET", secrets.get("weir-api-admin"));
        environment.put("WEIR_API_ADDRESS", "127.0.0.1");
        environment.put("WEIR_API_PORT", Integer.toString(settings.ports().api()));
        environment.put(
                "WEIR_API_MANAGEMENT_PORT", Integer.toString(settings.ports().apiManagement()));
        return environment;
    }

    private Map<String, String> provisionerEnvironment(Secrets secrets) throws IOException {
        Certificate certificate = pki.issue("provisioner", List.of());
        return Map.ofEntries(
                Map.entry("WEIR_DB_URL", postgres.jdbcUrl()),
                Map.entry("WEIR_DB_PROVISIONER_PASSWORD", secrets.get("weir_provisioner")),
                Map.entry("WEIR_KAFKA_BOOTSTRAP", kafka.bootstrap()),
                Map.entry("WEIR_KAFKA_CA", certificate.authority().toString()),
                Map.entry("WEIR_KAFKA_CERT", certificate.certificate().toString()),
                Map.entry("WEIR_KAFKA_KEY", certificate.key().toString()),
                Map.entry("WEIR_CA_CERT", pki.authorityFile().toString()),
                Map.entry("WEIR_CA_KEY", pki.authorityKeyFile().toString()),
                Map.entry(
                        "WEIR_PROVISIONER_PORT",
                        Integer.toString(settings.ports().provisioner())),
                Map.entry("WEIR_INSTANCE_NAME", "provisioner-1"));
    }

    private Part service(String name, String heap, SpringJar jar, Map<String, String> environment, String readiness) {
        List<String> command = jvm(heap);
        command.addAll(List.of("-jar", jar.extracted().toString()));
        return part(name, command, environment, readiness);
    }

    private Part dashboardPart() {
        List<String> command = jvm("-Xmx32m");
        command.addAll(List.of(
                "-cp",
                System.getProperty("java.class.path"),
                DashboardServer.class.getName(),
                Integer.toString(settings.ports().dashboard()),
                settings.source().resolve("web-ui/dist").toAbsolutePath().toString(),
                apiUrl(),
                keycloak.issuer()));
        return part("dashboard", command, Map.of(), dashboardUrl() + "/config.json");
    }

    private Part part(String name, List<String> command, Map<String, String> environment, String readiness) {
        Map<String, String> marked = new HashMap<>(mark);
        marked.putAll(environment);
        return new ServicePart(name, command, marked, settings, URI.create(readiness));
    }

    // The first compiler alone: these programs live for minutes, and a start is worth more than peak speed.
    private static List<String> jvm(String heap) {
        return new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                heap,
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-XX:+ExitOnOutOfMemoryError",
                "--enable-native-access=ALL-UNNAMED"));
    }
}
