// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.servers;

import dev.weir.testbed.pki.Pki;
import dev.weir.testbed.process.PidFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Real servers for integration tests: each is started when first asked for, on free ports, once for a JVM, and ended with it.
 *
 * <p>What a killed JVM left behind is cleared away by the next one.
 */
public final class TestServers {
    private static final Path ROOT = Path.of(System.getProperty("java.io.tmpdir"), "weir-test-servers");

    private static @Nullable Path directory;
    private static @Nullable PostgresServer postgres;
    private static @Nullable KafkaServer kafka;
    private static @Nullable KeycloakServer keycloak;

    private TestServers() {}

    /** A running PostgreSQL; each role's password is its name. */
    public static synchronized PostgresServer postgres() {
        PostgresServer server = postgres;
        if (server == null) {
            try {
                Map<String, String> passwords = PostgresServer.LOGIN_ROLES.stream()
                        .collect(Collectors.toMap(Function.identity(), role -> role));
                server = new PostgresServer(place("postgres"), FreePorts.any(), passwords);
                server.start();
            } catch (IOException | InterruptedException e) {
                throw new IllegalStateException("PostgreSQL did not start", e);
            }
            postgres = server;
        }
        return server;
    }

    /** A running Kafka broker without topics; {@code User:provisioner} may make some. */
    public static synchronized KafkaServer kafka() {
        KafkaServer server = kafka;
        if (server == null) {
            try {
                Pki pki = Pki.open(directory().resolve("pki"));
                server = new KafkaServer(
                        place("kafka"),
                        new KafkaServer.Settings(
                                "127.0.0.1", FreePorts.any(), FreePorts.any(), Optional.empty(), pki, List.of()));
                server.start();
            } catch (IOException | InterruptedException e) {
                throw new IllegalStateException("Kafka did not start", e);
            }
            kafka = server;
        }
        return server;
    }

    /** A running Keycloak with the realm {@code weir}; each machine client's secret is its id. */
    public static synchronized KeycloakServer keycloak() {
        KeycloakServer server = keycloak;
        if (server == null) {
            try {
                server = new KeycloakServer(
                        place("keycloak"),
                        new KeycloakServer.Settings(
                                FreePorts.any(),
                                postgres(),
                                "http://127.0.0.1:18083",
                                Map.of(
                                        "weir-operator", "weir-operator",
                                        "weir-api-admin", "weir-api-admin",
                                        "admin", "admin"),
                                List.of()));
                server.start();
            } catch (IOException | InterruptedException e) {
                throw new IllegalStateException("Keycloak did not start", e);
            }
            keycloak = server;
        }
        return server;
    }

    private static Place place(String name) throws IOException {
        return Place.below(directory(), name, Map.of("WEIR_INSTANCE", "test-servers"));
    }

    private static synchronized Path directory() throws IOException {
        Path made = directory;
        if (made == null) {
            Files.createDirectories(ROOT);
            clearLeftOvers();
            made = Files.createTempDirectory(ROOT, "jvm-");
            new PidFile(made.resolve("owner.pid")).write(ProcessHandle.current().pid());
            Path own = made;
            Runtime.getRuntime().addShutdownHook(new Thread(() -> clear(own), "test-servers-end"));
            directory = made;
        }
        return made;
    }

    private static void clearLeftOvers() throws IOException {
        try (Stream<Path> directories = Files.list(ROOT)) {
            for (Path left : directories.toList()) {
                // A directory without an owner yet belongs to a JVM that is just making it.
                Path owner = left.resolve("owner.pid");
                if (Files.exists(owner) && new PidFile(owner).living().isEmpty()) {
                    clear(left);
                }
            }
        }
    }

    private static void clear(Path directory) {
        try {
            Path run = directory.resolve("run");
            if (Files.isDirectory(run)) {
                try (Stream<Path> pidFiles = Files.list(run)) {
                    for (Path pidFile : pidFiles.toList()) {
                        killTree(new PidFile(pidFile));
                    }
                }
            }
            Cache.deleteTree(directory);
        } catch (IOException | java.io.UncheckedIOException e) {
            System.err.println("could not clear " + directory + ": " + e.getMessage());
        }
    }

    // The data is thrown away, so nothing needs to end in order.
    private static void killTree(PidFile pidFile) throws IOException {
        Optional<ProcessHandle> process = pidFile.living();
        if (process.isPresent()) {
            List<ProcessHandle> children = process.get().descendants().toList();
            process.get().destroyForcibly();
            children.forEach(ProcessHandle::destroyForcibly);
            for (ProcessHandle ended :
                    Stream.concat(Stream.of(process.get()), children.stream()).toList()) {
                while (ended.isAlive() && PidFile.isRunning(ended.pid())) {
                    Thread.onSpinWait();
                }
            }
        }
    }
}
