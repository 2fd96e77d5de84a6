// SPDX-License-Identifier: Apache-2.0
package dev.weir.provisioner;

import dev.weir.testbed.pki.Certificate;
import dev.weir.testbed.servers.KafkaServer;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** A provisioner as its own process, so that it can be killed and stalled like a real one. */
final class ProvisionerProcess implements AutoCloseable {
    private final Process process;
    private final Path logFile;
    private final int port;

    private ProvisionerProcess(Process process, Path logFile, int port) {
        this.process = process;
        this.logFile = logFile;
        this.port = port;
    }

    static ProvisionerProcess start(World world, String name) throws IOException {
        return start(world, name, Map.of());
    }

    /** @param settings more of its environment */
    static ProvisionerProcess start(World world, String name, Map<String, String> settings) throws IOException {
        KafkaServer kafka = world.kafka;
        Certificate certificate = kafka.pki().issue("provisioner", List.of());
        int port;
        try (ServerSocket socket = new ServerSocket(0)) {
            port = socket.getLocalPort();
        }
        Path logFile = Path.of("target", "it-logs", name + "-" + port + ".log");
        Files.createDirectories(logFile.getParent());
        ProcessBuilder builder = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx192m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                ProvisionerApplication.class.getName());
        builder.environment()
                .putAll(Map.of(
                        "WEIR_INSTANCE_NAME", name,
                        "WEIR_PROVISIONER_PORT", Integer.toString(port),
                        "WEIR_DB_URL", world.postgres.jdbcUrl(),
                        "WEIR_DB_PROVISIONER_PASSWORD", world.postgres.password("weir_provisioner"),
                        "WEIR_KAFKA_BOOTSTRAP", kafka.bootstrap(),
                        "WEIR_KAFKA_CA", certificate.authority().toString(),
                        "WEIR_KAFKA_CERT", certificate.certificate().toString(),
                        "WEIR_KAFKA_KEY", certificate.key().toString()));
        builder.environment().putAll(settings);
        builder.redirectErrorStream(true).redirectOutput(logFile.toFile());
        Process process = builder.start();
        Runtime.getRuntime().addShutdownHook(new Thread(process::destroyForcibly));
        return new ProvisionerProcess(process, logFile, port);
    }

    boolean ready() {
        try (HttpClient client = HttpClient.newHttpClient()) {
            HttpRequest request = HttpRequest.newBuilder(
                            URI.create("http://127.0.0.1:" + port + "/actuator/health/readiness"))
                    .timeout(Duration.ofSeconds(2))
                    .build();
            return client.send(request, HttpResponse.BodyHandlers.discarding()).statusCode() == 200;
        } catch (IOException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    String url() {
        return "http://127.0.0.1:" + port;
    }

    String log() throws IOException {
        return Files.readString(logFile);
    }

    void kill() throws InterruptedException {
        process.destroyForcibly();
        process.waitFor(10, TimeUnit.SECONDS);
    }

    void stall() throws IOException, InterruptedException {
        signal("STOP");
    }

    void goOn() throws IOException, InterruptedException {
        signal("CONT");
    }

    private void signal(String name) throws IOException, InterruptedException {
        new ProcessBuilder("kill", "-" + name, Long.toString(process.pid()))
                .start()
                .waitFor();
    }

    @Override
    public void close() throws InterruptedException {
        process.destroy();
        if (!process.waitFor(15, TimeUnit.SECONDS)) {
            kill();
        }
    }
}
