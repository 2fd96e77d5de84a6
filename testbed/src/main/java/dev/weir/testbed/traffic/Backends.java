// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.traffic;

import dev.weir.testbed.Part;
import dev.weir.testbed.topology.BackendPlan;
import dev.weir.testbed.topology.Layout;
import dev.weir.testbed.topology.NamespacePart;
import dev.weir.testbed.topology.Topology;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

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
        NamespacePart.Program program = new NamespacePart.Program(
                backend.name(),
                backend.name(),
                List.of(
                        PackagedScript.PYTHON,
                        "-B",
                        SCRIPT,
                        backend.name(),
                        BackendPlan.HTTP_PORT + "," + BackendPlan.OTHER_HTTP_PORT,
                        BackendPlan.UDP_PORT + "," + BackendPlan.OTHER_UDP_PORT),
                data,
                Duration.ofSeconds(20));
        return new NamespacePart(
                topology,
                layout,
                program,
                NamespacePart.listensOn(BackendPlan.OTHER_HTTP_PORT),
                () -> PackagedScript.unpack(SCRIPT, data),
                () -> {});
    }
}
