// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.stack;

import dev.weir.testbed.Part;
import dev.weir.testbed.process.ManagedProcess;
import dev.weir.testbed.process.ProcessSpec;
import dev.weir.testbed.servers.Wait;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** A program of our own on the loopback address that tells over HTTP whether it is ready. */
final class ServicePart implements Part {
    private static final Duration LONGEST_START = Duration.ofSeconds(120);

    private final ManagedProcess process;
    private final HttpRequest readiness;
    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(1)).build();

    /** @param readiness answers 200 when the program serves */
    ServicePart(String name, List<String> command, Map<String, String> environment, Settings settings, URI readiness) {
        this.process = new ManagedProcess(new ProcessSpec(
                name,
                command,
                environment,
                settings.run(),
                settings.logs().resolve(name + ".log").toAbsolutePath(),
                settings.run().resolve(name + ".pid").toAbsolutePath(),
                false));
        this.readiness =
                HttpRequest.newBuilder(readiness).timeout(Duration.ofSeconds(1)).build();
    }

    @Override
    public String name() {
        return process.spec().name();
    }

    @Override
    public Path logFile() {
        return process.spec().log();
    }

    @Override
    public void start() throws IOException, InterruptedException {
        process.start();
        Wait.untilReady(process, LONGEST_START, this::answers);
    }

    @Override
    public void stop() throws IOException, InterruptedException {
        process.stop(Duration.ofSeconds(10));
    }

    @Override
    public void kill() throws IOException, InterruptedException {
        process.kill();
    }

    @Override
    public void crash() throws IOException, InterruptedException {
        process.crash();
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
        try {
            return http.send(readiness, BodyHandlers.discarding()).statusCode() == 200;
        } catch (IOException _) {
            return false;
        }
    }
}
