// SPDX-License-Identifier: Apache-2.0
package dev.weir.bench.api;

import dev.weir.testbed.servers.KeycloakServer;
import dev.weir.testbed.servers.PostgresServer;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** The api as a process of its own, with the settings of production save for its rate limit. */
final class Service implements AutoCloseable {
    private static final Duration LONGEST_START = Duration.ofSeconds(120);

    private final Process process;
    private final String url;
    private final Duration readyAfter;

    private Service(Process process, String url, Duration readyAfter) {
        this.process = process;
        this.url = url;
        this.readyAfter = readyAfter;
    }

    /**
     * @param layout the jar, laid out flat
     * @param options for the JVM
     */
    static Service start(Path layout, List<String> options, PostgresServer postgres, KeycloakServer keycloak, Path log)
            throws IOException, InterruptedException {
        int port = freePort();
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx192m", "-XX:+UseSerialGC"));
        command.addAll(options);
        command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-jar", layout.toString()));
        ProcessBuilder builder =
                new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(Redirect.appendTo(log.toFile()));
        var environment = builder.environment();
        environment.put("WEIR_DB_URL", postgres.jdbcUrl());
        environment.put("WEIR_DB_API_PASSWORD", postgres.password("weir_api"));
        environment.put("WEIR_DB_OPERATOR_PASSWORD", postgres.password("weir_operator"));
        environment.put("WEIR_DB_OWNER_PASSWORD", postgres.password("weir_owner"));
        environment.put("WEIR_OIDC_ISSUER", keycloak.issuer());
        environment.put("WEIR_KEYCLOAK_URL", keycloak.url());
        environment.put("WEIR_KEYCLOAK_ADMIN_CLIENT_SECRET", "weir-api-admin");
        environment.put("WEIR_API_PORT", Integer.toString(port));
        environment.put("WEIR_API_MANAGEMENT_PORT", Integer.toString(freePort()));
        environment.put("WEIR_API_RATE_LIMIT_REQUESTS", "1000000000");
        long began = System.nanoTime();
        Process process = builder.start();
        String url = "http://127.0.0.1:" + port;
        awaitReady(process, url, log);
        return new Service(process, url, Duration.ofNanos(System.nanoTime() - began));
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    private static void awaitReady(Process process, String url, Path log) throws IOException, InterruptedException {
        long end = System.nanoTime() + LONGEST_START.toNanos();
        try (HttpClient http = HttpClient.newHttpClient()) {
            HttpRequest request = HttpRequest.newBuilder(URI.create(url + "/healthz/ready"))
                    .timeout(Duration.ofSeconds(1))
                    .build();
            while (System.nanoTime() < end && process.isAlive()) {
                try {
                    if (http.send(request, BodyHandlers.discarding()).statusCode() == 200) {
                        return;
                    }
                } catch (IOException e) {
                    // Not listening yet.
                }
                Thread.sleep(20);
            }
        }
        process.destroyForcibly();
        throw new IOException("the api did not get ready; see " + log);
    }

    String url() {
        return url;
    }

    Duration readyAfter() {
        return readyAfter;
    }

    double rssMb() throws IOException {
        return Files.readAllLines(Path.of("/proc", Long.toString(process.pid()), "status")).stream()
                .filter(line -> line.startsWith("VmRSS:"))
                .map(line -> line.replaceAll("\\D", ""))
                .mapToDouble(kb -> Double.parseDouble(kb) / 1024)
                .findFirst()
                .orElseThrow();
    }

    @Override
    public void close() throws InterruptedException {
        process.destroy();
        if (!process.waitFor(60, TimeUnit.SECONDS)) {
            process.destroyForcibly();
        }
    }
}
