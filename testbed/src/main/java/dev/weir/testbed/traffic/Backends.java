// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.traffic;

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
import java.util.List;
import java.util.Objects;

/** Real servers in the backends' namespaces: HTTP and UDP echo, both answer with their own name. */
public final class Backends {
    private static final String SCRIPT = "backend.py";

    private final Topology topology;
    private final Layout layout;
    private final Path data;

    public Backends(Topology topology, Layout layout) {
        this.topology = topology;
        this.layout = layout;
        this.data = layout.data().resolve("backends");
    }

    /** One part per backend, named {@code backend1}, {@code backend2}, …. */
    public List<Part> parts() {
        return topology.shape().backends().stream().map(this::part).toList();
    }

    private Part part(BackendPlan backend) {
        // Debian's own interpreter: a python3 found first on the path may be a slow wrapper.
        NamespacePart.Program program = new NamespacePart.Program(
                backend.name(),
                backend.name(),
                List.of(
                        "/usr/bin/python3",
                        "-B",
                        SCRIPT,
                        backend.name(),
                        Integer.toString(BackendPlan.HTTP_PORT),
                        Integer.toString(BackendPlan.UDP_PORT)),
                data,
                Duration.ofSeconds(20));
        return new NamespacePart(
                topology, layout, program, NamespacePart.listensOn(BackendPlan.HTTP_PORT), this::unpack, () -> {});
    }

    private void unpack() throws IOException {
        Files.createDirectories(data);
        Path next = Files.createTempFile(data, SCRIPT, ".next");
        try (InputStream script = Objects.requireNonNull(Backends.class.getResourceAsStream(SCRIPT), SCRIPT)) {
            Files.copy(script, next, StandardCopyOption.REPLACE_EXISTING);
        }
        Files.move(next, data.resolve(SCRIPT), StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
    }
}
