// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.topology;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.testbed.Part;
import dev.weir.testbed.traffic.Backends;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Needs root and network namespaces, and fails without them. */
class TopologyIT {
    private static final Shape SHAPE = new Shape("tpt-", 2, 2, 1, 0);

    private final Topology topology = new Topology(SHAPE);

    @TempDir
    Path directory;

    @AfterEach
    void remove() throws Exception {
        topology.remove();
    }

    @Test
    void laysOutQuicklyAndLeavesNothing() throws Exception {
        Duration up = time(topology::create);
        List<String> made = topology.existing();
        time(topology::create);
        Duration down = time(topology::remove);

        assertThat(made).containsExactlyInAnyOrderElementsOf(topology.places());
        assertThat(topology.existing()).isEmpty();
        System.out.printf("topology: up in %d ms, down in %d ms%n", up.toMillis(), down.toMillis());
        assertThat(up).isLessThan(Duration.ofSeconds(10));
    }

    @Test
    void replacesWhatAnotherShapeLeft() throws Exception {
        Topology larger = new Topology(SHAPE.withSize(2, 3));
        larger.create();

        topology.create();

        assertThat(topology.existing()).containsExactlyInAnyOrderElementsOf(topology.places());
    }

    @Test
    void routersCarryClientsOverTheBackboneAndBackendsServe() throws Exception {
        topology.create();
        List<Part> routers = new Routers(topology, Layout.below(directory, Map.of())).parts();
        List<Part> backends = new Backends(topology, Layout.below(directory, Map.of())).parts();
        Duration started = time(() -> {
            for (Part part : routers) {
                part.start();
            }
            for (Part part : backends) {
                part.start();
            }
        });
        System.out.printf("routers and backends: up in %d ms%n", started.toMillis());

        assertThat(topology.places()).contains("client1", "client2");
        eventually(() -> ok("client1", "ping", "-c1", "-W1", "192.0.2.74"));
        eventually(() -> ok("client1", "ping", "-c1", "-W1", "2001:db8:c:2::10"));
        eventually(() -> ok("pop1-router", "curl", "-sf", "-m2", "http://10.1.20.11:8080/"));
        assertThat(run("pop2-members", "curl", "-s", "-m2", "http://10.2.20.12:8080/")
                        .output())
                .isEqualTo("backend2\n");
        assertThat(run("pop2-members", "curl", "-s", "-m2", "http://[2001:db8:2:20::12]:8080/")
                        .output())
                .isEqualTo("backend2\n");
        assertThat(routers).allMatch(Part::up);

        for (Part part : routers) {
            part.stop();
        }
        for (Part part : backends) {
            part.stop();
        }
        assertThat(routers).noneMatch(Part::up);
    }

    private boolean ok(String place, String... command) throws IOException, InterruptedException {
        return run(place, command).ok();
    }

    private Shell.Result run(String place, String... command) throws IOException, InterruptedException {
        return Shell.run(topology.in(place, List.of(command)));
    }

    private static void eventually(Condition condition) throws Exception {
        long deadline = System.nanoTime() + Duration.ofSeconds(15).toNanos();
        while (!condition.holds()) {
            assertThat(System.nanoTime()).as("time until the condition holds").isLessThan(deadline);
            Thread.sleep(100);
        }
    }

    private static Duration time(Action action) throws Exception {
        long begin = System.nanoTime();
        action.run();
        return Duration.ofNanos(System.nanoTime() - begin);
    }

    @FunctionalInterface
    private interface Condition {
        boolean holds() throws Exception;
    }

    @FunctionalInterface
    private interface Action {
        void run() throws Exception;
    }
}
