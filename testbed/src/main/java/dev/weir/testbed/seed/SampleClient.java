// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.seed;

import dev.weir.testbed.Part;
import dev.weir.testbed.topology.BackendPlan;
import dev.weir.testbed.topology.Layout;
import dev.weir.testbed.topology.NamespacePart;
import dev.weir.testbed.topology.Topology;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A program in {@code client1} that keeps fetching through the sample load balancer. */
public final class SampleClient {
    public static final String NAME = "sample-client";

    private static final String SCRIPT = "sample_client.py";
    private static final double REQUESTS_PER_SECOND = 10;
    private static final Duration FRESH = Duration.ofSeconds(6);

    private final Path status;
    private final NamespacePart part;

    public SampleClient(Topology topology, Layout layout) {
        Path directory = layout.data().resolve(NAME);
        this.status = directory.resolve("status.json");
        this.part = new NamespacePart(
                topology,
                layout,
                new NamespacePart.Program(
                        NAME,
                        "client1",
                        List.of(
                                "/usr/bin/python3",
                                "-B",
                                SCRIPT,
                                Seed.SAMPLE_ADDRESS,
                                "80",
                                Integer.toString(BackendPlan.UDP_PORT),
                                Double.toString(REQUESTS_PER_SECOND),
                                status.toString()),
                        directory,
                        Duration.ofSeconds(30)),
                _ -> serves(),
                () -> unpack(directory),
                () -> {});
    }

    /** Up while requests succeed. */
    public Part part() {
        return part;
    }

    /** What the client last told; empty before its first request. */
    public Optional<JsonNode> status() throws IOException {
        return Files.exists(status) ? Optional.of(JsonMapper.shared().readTree(status)) : Optional.empty();
    }

    private boolean serves() throws IOException {
        if (!Files.exists(status)
                || Files.getLastModifiedTime(status)
                        .toInstant()
                        .isBefore(Instant.now().minus(FRESH))) {
            return false;
        }
        return JsonMapper.shared().readTree(status).path("requests_per_second").doubleValue(0) > 0;
    }

    private void unpack(Path directory) throws IOException {
        Files.createDirectories(directory);
        Files.deleteIfExists(status);
        try (InputStream script = Objects.requireNonNull(SampleClient.class.getResourceAsStream(SCRIPT), SCRIPT)) {
            Files.copy(script, directory.resolve(SCRIPT), StandardCopyOption.REPLACE_EXISTING);
        }
    }
}
