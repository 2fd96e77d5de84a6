// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.topology;

import dev.weir.testbed.Part;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** The BIRD of each PoP's router and of each member-side router. */
public final class Routers {
    private final Topology topology;
    private final Layout layout;

    public Routers(Topology topology, Layout layout) {
        this.topology = topology;
        this.layout = layout;
    }

    /** Two parts per PoP, named as their places: {@code pop1-router}, {@code pop1-members}. */
    public List<Part> parts() {
        Shape shape = topology.shape();
        return shape.popPlans().stream()
                .flatMap(pop -> List.of(
                        part(pop.router(), RouterConfig.router(shape, pop)),
                        part(pop.members(), RouterConfig.members(shape, pop)))
                        .stream())
                .toList();
    }

    private Part part(String place, String config) {
        Path directory = layout.data().resolve(place);
        NamespacePart.Program program = new NamespacePart.Program(
                place,
                place,
                List.of("bird", "-f", "-c", "bird.conf", "-s", "bird.ctl"),
                directory,
                Duration.ofSeconds(10));
        return new NamespacePart(
                topology,
                layout,
                program,
                _ -> Files.exists(directory.resolve("bird.ctl")),
                () -> write(directory, config),
                () -> Files.deleteIfExists(directory.resolve("bird.ctl")));
    }

    private static void write(Path directory, String config) throws IOException {
        Files.createDirectories(directory);
        Files.deleteIfExists(directory.resolve("bird.ctl"));
        Files.writeString(directory.resolve("bird.conf"), config);
    }
}
