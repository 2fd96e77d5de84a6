// SPDX-License-Identifier: Apache-2.0
package dev.weir.api;

import dev.weir.api.RunningApi.Answer;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** One more instance beside {@link RunningApi}, as its own process, so that it can be killed like a real one. */
final class ApiProcess implements AutoCloseable {
    private final RunningApi beside;
    private final Process process;
    private final String url;

    private ApiProcess(RunningApi beside, Process process, String url) {
        this.beside = beside;
        this.process = process;
        this.url = url;
    }

    static ApiProcess start(RunningApi beside, String name) throws IOException {
        int port = freePort();
        Path log = Path.of("target", "it-logs", "%s-%d.log".formatted(name, port));
        Files.createDirectories(log.getParent());
        ProcessBuilder builder = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                ApiApplication.class.getName());
        builder.environment()
                .putAll(Map.ofEntries(
                        Map.entry("WEIR_API_PORT", Integer.toString(port)),
                        Map.entry("WEIR_API_MANAGEMENT_PORT", Integer.toString(freePort())),
                        Map.entry("WEIR_API_RATE_LIMIT_REQUESTS", "100000"),
                        Map.entry("WEIR_DB_URL", beside.postgres().jdbcUrl()),
                        Map.entry("WEIR_DB_MIGRATE", "false"),
                        Map.entry("WEIR_DB_API_PASSWORD", beside.postgres().password("weir_api")),
                        Map.entry("WEIR_DB_OPERATOR_PASSWORD", beside.postgres().password("weir_operator")),
                        Map.entry("WEIR_OIDC_ISSUER", beside.keycloak().issuer()),
                        Map.entry("WEIR_KEYCLOAK_URL", beside.keycloak().url()),
                        Map.entry("WEIR_KEYCLOAK_ADMIN_CLIENT_SECRET", "weir-api-admin")));
        builder.redirectErrorStream(true).redirectOutput(log.toFile());
        Process process = builder.start();
        Runtime.getRuntime().addShutdownHook(new Thread(process::destroyForcibly));
        return new ApiProcess(beside, process, "http://127.0.0.1:" + port);
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    /** @throws IllegalStateException if it cannot be reached, or dies before it answers */
    Answer post(String token, String path, String body, Map<String, String> headers) {
        return beside.call(url, token, "POST", path, body, headers);
    }

    int readiness() {
        try {
            return beside.call(url, null, "GET", "/healthz/ready", null, Map.of())
                    .status();
        } catch (IllegalStateException e) {
            return 0;
        }
    }

    void kill() throws InterruptedException {
        process.destroyForcibly();
        process.waitFor(10, TimeUnit.SECONDS);
    }

    @Override
    public void close() throws InterruptedException {
        kill();
    }
}
