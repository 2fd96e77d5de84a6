// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.packets;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.testbed.Part;
import dev.weir.testbed.node.Edge;
import dev.weir.testbed.node.NodePrograms;
import dev.weir.testbed.node.NodeRuntime;
import dev.weir.testbed.topology.Layout;
import dev.weir.testbed.topology.NodePlan;
import dev.weir.testbed.topology.Routes;
import dev.weir.testbed.topology.Shape;
import dev.weir.testbed.topology.Shell;
import dev.weir.testbed.traffic.Client;
import dev.weir.testbed.traffic.HeldResult;
import dev.weir.testbed.traffic.HttpResult;
import dev.weir.testbed.traffic.UdpResult;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/**
 * Real clients, routers, engines, guards, agents and backends, with agents fed from a file: no centre at all. Needs
 * root, network namespaces and the built engine, guard and agent, and fails without them. It lies here and not in the
 * testbed because the agent's jar is made after the testbed's.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class PacketsFlowIT {
    private static final Path CLONE =
            Path.of(System.getProperty("weir.clone", "..")).toAbsolutePath().normalize();
    private static final Shape SHAPE = new Shape("tpf-", 2, 2, 2, 0);
    private static final String VIP = StandAloneRecords.VIP;
    private static final Duration HOLD = Duration.ofSeconds(1);
    private static final Duration LINE_EVERY = Duration.ofMillis(100);
    private static final Duration AGENT = Duration.ofSeconds(20);

    private final NodePrograms programs = NodePrograms.ofClone(CLONE);
    private long sequence = 1;

    @TempDir
    static Path directory;

    private Edge edge;
    private Client client1;
    private Client client2;

    @BeforeAll
    void start() throws Exception {
        assertThat(List.of(programs.engine(), programs.guard(), programs.agentJar()))
                .as("the built programs")
                .allMatch(Files::exists);
        edge = new Edge(SHAPE, programs, Layout.below(directory, Map.of()));
        edge.remove();
        edge.topology().create();
        writeRecords(Map.of());
        for (NodeRuntime node : edge.nodes()) {
            node.enrol(Map.of(
                    "node.id", StandAloneRecords.nodeId(node.plan()),
                    "pop.id", StandAloneRecords.popId(node.plan().pop()),
                    "desired.file", directory.resolve("desired.json").toString()));
        }
        for (Part part : edge.parts()) {
            part.start();
        }
        client1 = new Client(edge.topology(), "client1", directory);
        client2 = new Client(edge.topology(), "client2", directory);
    }

    @AfterAll
    void stop() throws Exception {
        edge.stop();
        edge.remove();
        keepLogs();
        assertThat(edge.topology().existing()).isEmpty();
    }

    @BeforeEach
    void allNodesAnnounce() throws Exception {
        eventually(
                "all nodes are announced",
                AGENT,
                () -> hops("pop1-router", VIP).equals(engines(1))
                        && hops("pop2-router", VIP).equals(engines(2))
                        && hops("pop1-members", "default").equals(engines(1))
                        && hops("pop2-members", "default").equals(engines(2)));
        eventually(
                "the VIP answers",
                AGENT,
                () -> client1.curl("http://" + VIP + "/").ok());
    }

    @Test
    void clientsReachTheBackendsOfTheirOwnPop() throws Exception {
        HttpResult first = client1.http(VIP, StandAloneRecords.HTTP_PORT, 200, 8);
        HttpResult second = client2.http(VIP, StandAloneRecords.HTTP_PORT, 200, 8);

        assertThat(first.errors()).isEmpty();
        assertThat(second.errors()).isEmpty();
        assertThat(first.backends()).containsOnlyKeys("backend1", "backend2");
        assertThat(second.backends()).containsOnlyKeys("backend3", "backend4");
        System.out.println("client1 " + first + "\nclient2 " + second);
    }

    @Test
    void datagramsComeBackAndAFlowStaysWithItsMember() throws Exception {
        UdpResult udp = client1.udp(VIP, StandAloneRecords.UDP_PORT, 40, 10);

        assertThat(udp.answered()).isEqualTo(400);
        assertThat(udp.mixedFlows()).isZero();
        assertThat(udp.backends()).containsOnlyKeys("backend1", "backend2");
    }

    @Test
    void largeAnswersArriveWhole() throws Exception {
        Shell.Result size =
                client1.curl("-o", "/dev/null", "-w", "%{size_download}", "http://" + VIP + "/bytes?n=5000000");

        assertThat(size.output()).isEqualTo("5000000");
    }

    @Test
    void underDnatBackendsSeeTheClientsAddress() throws Exception {
        assertThat(client1.curl("http://" + VIP + "/client").output()).startsWith("192.0.2.10:");
    }

    @Test
    void aReplyOnTheOtherNodeReachesTheClient() throws Exception {
        // Requests only through the first node, replies only through the second.
        inPlace("pop1-router", "ip", "route", "add", VIP + "/32", "via", "10.1.0.11");
        inPlace("pop1-members", "ip", "route", "add", "192.0.2.0/26", "via", "10.1.0.12");
        try {
            HttpResult result = client1.http(VIP, StandAloneRecords.HTTP_PORT, 50, 4);

            assertThat(result.errors()).isEmpty();
            assertThat(result.ok()).isEqualTo(50);
        } finally {
            inPlace("pop1-router", "ip", "route", "del", VIP + "/32", "via", "10.1.0.11");
            inPlace("pop1-members", "ip", "route", "del", "192.0.2.0/26", "via", "10.1.0.12");
        }
    }

    @Test
    void aDeadAgentChangesNothing() throws Exception {
        try (Client.Running<HeldResult> held = client1.hold(VIP, StandAloneRecords.HTTP_PORT, 20, LINE_EVERY)) {
            for (NodeRuntime node : edge.nodes()) {
                node.agent().kill();
            }
            try {
                HttpResult result = client1.http(VIP, StandAloneRecords.HTTP_PORT, 200, 8);

                assertThat(result.errors()).isEmpty();
                assertThat(hops("pop1-router", VIP)).isEqualTo(engines(1));
                assertThat(held.end().errors()).isEmpty();
            } finally {
                for (NodeRuntime node : edge.nodes()) {
                    node.agent().start();
                }
            }
        }
    }

    @Test
    void anEngineThatComesBackWithinTheHoldTimeKeepsItsFlowsAndRoutes() throws Exception {
        NodeRuntime node = edge.node("pop1-node1");
        try (Client.Running<HeldResult> held = client1.hold(VIP, StandAloneRecords.HTTP_PORT, 20, LINE_EVERY)) {
            assertThat(held.begin().errors()).isEmpty();
            int logged = Files.readString(node.guard().logFile()).length();

            long begin = System.nanoTime();
            node.engine().crash();
            node.engine().start();
            Duration away = Duration.ofNanos(System.nanoTime() - begin);
            System.out.printf("engine back after %d ms%n", away.toMillis());
            HttpResult result = client1.http(VIP, StandAloneRecords.HTTP_PORT, 100, 4);
            HeldResult end = held.end();

            assertThat(result.errors()).isEmpty();
            assertThat(end.errors()).isEmpty();
            System.out.println("held over an engine's restart: " + end);
            // On a machine that is busy with other things a start may outlast the hold time, rightly withdrawn then.
            if (away.compareTo(HOLD.minusMillis(100)) < 0) {
                assertThat(Files.readString(node.guard().logFile()).substring(logged))
                        .doesNotContain("gate closed");
            }
        }
    }

    @Test
    void theOtherNodeTakesOverFromADeadEngine() throws Exception {
        NodeRuntime node = edge.node("pop1-node2");
        try (Client.Running<HeldResult> held = client1.hold(VIP, StandAloneRecords.HTTP_PORT, 20, LINE_EVERY)) {
            long begin = System.nanoTime();
            node.engine().kill();
            try {
                eventually(
                        "the dead node is withdrawn",
                        Duration.ofSeconds(3),
                        () -> hops("pop1-router", VIP).equals(List.of("10.1.0.11")));
                System.out.printf("withdrawn after %d ms%n", (System.nanoTime() - begin) / 1_000_000);
                HttpResult result = client1.http(VIP, StandAloneRecords.HTTP_PORT, 100, 4);

                assertThat(result.errors()).isEmpty();
                HeldResult end = held.end();
                System.out.println("held over a node's death: " + end);
                assertThat(end.errors()).isEmpty();
            } finally {
                node.engine().start();
            }
        }
    }

    @Test
    void theOtherPopServesWhenAllEnginesOfAPopAreDead() throws Exception {
        List<NodeRuntime> nodes =
                edge.nodes().stream().filter(node -> node.plan().pop() == 1).toList();
        for (NodeRuntime node : nodes) {
            node.engine().kill();
        }
        try {
            eventually(
                    "PoP 2 serves",
                    Duration.ofSeconds(4),
                    () -> hops("pop1-router", VIP).equals(List.of("10.201.0.12")));
            HttpResult result = client1.http(VIP, StandAloneRecords.HTTP_PORT, 100, 4);

            assertThat(result.errors()).isEmpty();
            assertThat(result.backends()).containsOnlyKeys("backend3", "backend4");
        } finally {
            for (NodeRuntime node : nodes) {
                node.engine().start();
            }
        }
    }

    @Test
    void aDrainingMemberKeepsItsConnectionsAndGetsNoNewOnes() throws Exception {
        try (Client.Running<HeldResult> held = client1.hold(VIP, StandAloneRecords.HTTP_PORT, 30, LINE_EVERY)) {
            int open = held.begin().alive().getOrDefault("backend1", 0);
            assertThat(open).isPositive();

            writeRecords(Map.of("backend1", 0));
            eventually(
                    "no new connection reaches backend1",
                    AGENT,
                    () -> !client1.http(VIP, StandAloneRecords.HTTP_PORT, 40, 4)
                            .backends()
                            .containsKey("backend1"));
            HttpResult result = client1.http(VIP, StandAloneRecords.HTTP_PORT, 200, 8);
            HeldResult end = held.end();

            assertThat(result.errors()).isEmpty();
            assertThat(result.backends()).containsOnlyKeys("backend2");
            assertThat(end.errors()).isEmpty();
            assertThat(end.alive()).containsEntry("backend1", open);
        } finally {
            writeRecords(Map.of());
        }
    }

    @Test
    void anUnhealthyMemberGetsNoNewConnections() throws Exception {
        Part backend = edge.backends().getFirst();
        backend.kill();
        try {
            eventually("all are answered by the other", AGENT, () -> {
                HttpResult result = client1.http(VIP, StandAloneRecords.HTTP_PORT, 40, 4);
                return result.failed() == 0 && result.backends().keySet().equals(Set.of("backend2"));
            });
        } finally {
            backend.start();
        }
        eventually(
                "it serves again",
                AGENT,
                () -> client1.http(VIP, StandAloneRecords.HTTP_PORT, 40, 4)
                        .backends()
                        .containsKey("backend1"));
    }

    @Test
    void aNodeComesBackFromItsOwnDiskWithoutAnAgent() throws Exception {
        NodeRuntime node = edge.node("pop2-node2");
        node.agent().kill();
        node.engine().kill();
        node.guard().kill();
        node.forgetFlows();
        try {
            eventually(
                    "withdrawn",
                    Duration.ofSeconds(3),
                    () -> hops("pop2-router", VIP).equals(List.of("10.2.0.11")));

            node.engine().start();
            node.guard().start();

            eventually("announced again", AGENT, () -> hops("pop2-router", VIP).equals(engines(2)));
            HttpResult result = client2.http(VIP, StandAloneRecords.HTTP_PORT, 100, 4);
            assertThat(result.errors()).isEmpty();
            assertThat(result.backends()).containsOnlyKeys("backend3", "backend4");
        } finally {
            node.agent().start();
        }
    }

    @Test
    void aFrozenEngineIsWithdrawnAndComesBack() throws Exception {
        NodeRuntime node = edge.node("pop2-node2");
        long pid = node.engine().pid().orElseThrow();
        signal(pid, "STOP");
        try {
            eventually(
                    "withdrawn",
                    Duration.ofSeconds(3),
                    () -> hops("pop2-router", VIP).equals(List.of("10.2.0.11")));
            assertThat(client2.http(VIP, StandAloneRecords.HTTP_PORT, 50, 4).errors())
                    .isEmpty();
        } finally {
            signal(pid, "CONT");
        }
        eventually("announced again", AGENT, () -> hops("pop2-router", VIP).equals(engines(2)));
    }

    @Test
    void aDeadGuardTakesBirdAndTheRoutesWithIt() throws Exception {
        NodeRuntime node = edge.node("pop2-node1");
        node.guard().kill();
        try {
            eventually(
                    "withdrawn",
                    Duration.ofSeconds(2),
                    () -> hops("pop2-router", VIP).equals(List.of("10.2.0.12")));
            assertThat(client2.http(VIP, StandAloneRecords.HTTP_PORT, 50, 4).errors())
                    .isEmpty();
        } finally {
            node.guard().start();
        }
    }

    private void writeRecords(Map<String, Integer> weights) throws IOException {
        Path next = directory.resolve("desired.json.next");
        Files.writeString(next, StandAloneRecords.json(SHAPE, sequence++, weights));
        Files.move(next, directory.resolve("desired.json"), StandardCopyOption.REPLACE_EXISTING);
    }

    private List<String> hops(String place, String prefix) throws IOException, InterruptedException {
        return Routes.nextHops(edge.topology(), place, prefix);
    }

    private static List<String> engines(int pop) {
        return SHAPE.nodes(pop).stream().map(NodePlan::dataAddress).toList();
    }

    private void inPlace(String place, String... command) throws IOException, InterruptedException {
        assertThat(Shell.run(edge.topology().in(place, List.of(command))))
                .matches(Shell.Result::ok, String.join(" ", command));
    }

    private static void signal(long pid, String name) throws IOException, InterruptedException {
        assertThat(Shell.run(List.of("kill", "-" + name, Long.toString(pid))).ok())
                .isTrue();
    }

    private static void keepLogs() throws IOException, InterruptedException {
        Shell.run(List.of(
                "cp",
                "-r",
                directory.resolve("logs").toString(),
                Path.of("target", "packets-flow-logs").toString()));
    }

    private static void eventually(String what, Duration limit, Condition condition) throws Exception {
        long begin = System.nanoTime();
        while (!condition.holds()) {
            assertThat(Duration.ofNanos(System.nanoTime() - begin)).as(what).isLessThan(limit);
            Thread.sleep(20);
        }
    }

    @FunctionalInterface
    private interface Condition {
        boolean holds() throws Exception;
    }
}
