// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.topology;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.testbed.Part;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Routers, guards and BIRD with a stand-in for each engine's heartbeat. Needs root, network namespaces and the built
 * guard, and fails without them.
 */
class AnycastRoutingIT {
    private static final Path GUARD = Path.of(System.getProperty("weir.clone", ".."), "dataplane-dpdk/build/guard")
            .toAbsolutePath()
            .normalize();
    private static final String VIP = "203.0.113.10";
    private static final String VIP_V6 = "2001:db8:f::10";

    private final Topology topology = new Topology(new Shape("tpa-", 2, 2, 1, 0));
    private final List<Part> routers = new ArrayList<>();
    private final Map<NodePlan, Process> guards = new HashMap<>();
    private final Map<NodePlan, Process> engines = new HashMap<>();

    @TempDir
    Path directory;

    @BeforeEach
    void start() throws Exception {
        assertThat(GUARD.resolve("weir-guard")).as("the built guard").isExecutable();
        topology.create();
        routers.addAll(new Routers(topology, Layout.below(directory, Map.of())).parts());
        for (Part router : routers) {
            router.start();
        }
        for (NodePlan node : topology.shape().nodes()) {
            writeBirdFiles(node, "route " + VIP + "/32 unreachable; route " + node.snatRange() + " unreachable;");
            startGuard(node);
            startEngine(node);
        }
    }

    @AfterEach
    void stop() throws Exception {
        engines.values().forEach(Process::destroyForcibly);
        guards.values().forEach(Process::destroyForcibly);
        for (Part router : routers) {
            router.stop();
        }
        topology.remove();
    }

    @Test
    void vipsSpreadOverEnginesAndMoveToTheOtherPopWhenAllAreGone() throws Exception {
        eventually(
                "both nodes of PoP 1",
                Duration.ofSeconds(20),
                () -> nextHops("pop1-router", VIP).equals(List.of("10.1.0.11", "10.1.0.12")));
        eventually(
                "both nodes of PoP 2",
                Duration.ofSeconds(20),
                () -> nextHops("pop2-router", VIP).equals(List.of("10.2.0.11", "10.2.0.12")));
        eventually(
                "the way back",
                Duration.ofSeconds(20),
                () -> nextHops("pop1-members", "default").equals(List.of("10.1.0.11", "10.1.0.12")));
        eventually(
                "both nodes of PoP 1 by IPv6",
                Duration.ofSeconds(5),
                () -> nextHops("pop1-router", VIP_V6).equals(List.of("2001:db8:1::11", "2001:db8:1::12")));
        eventually(
                "the way back by IPv6",
                Duration.ofSeconds(5),
                () -> nextHops("pop1-members", "::/0").equals(List.of("2001:db8:1::11", "2001:db8:1::12")));
        assertThat(nextHops("pop1-members", "2001:db8:1:32::/124")).containsExactly("2001:db8:1::12");
        assertThat(nextHops("pop1-router", "10.1.31.0/28")).containsExactly("10.1.0.11");
        assertThat(nextHops("pop1-members", "10.1.32.0/28")).containsExactly("10.1.0.12");

        NodePlan first = topology.shape().nodes(1).get(0);
        NodePlan second = topology.shape().nodes(1).get(1);
        kill(engines, first);
        eventually(
                "the first node withdrawn",
                Duration.ofSeconds(3),
                () -> nextHops("pop1-router", VIP).equals(List.of("10.1.0.12")));
        eventually(
                "no way back through it",
                Duration.ofSeconds(1),
                () -> nextHops("pop1-members", "default").equals(List.of("10.1.0.12")));

        kill(guards, second);
        eventually(
                "PoP 2 serves PoP 1",
                Duration.ofSeconds(3),
                () -> nextHops("pop1-router", VIP).equals(List.of("10.201.0.12")));
        eventually(
                "PoP 2 serves PoP 1 by IPv6",
                Duration.ofSeconds(1),
                () -> nextHops("pop1-router", VIP_V6).equals(List.of("2001:db8:201::12")));

        startEngine(first);
        eventually(
                "the first node is back",
                Duration.ofSeconds(3),
                () -> nextHops("pop1-router", VIP).equals(List.of("10.1.0.11")));
    }

    @Test
    void aNodeThatFallsSilentIsLeftByBfdBeforeBgpNotices() throws Exception {
        NodePlan node = topology.shape().nodes(1).getFirst();
        eventually(
                "the node announces",
                Duration.ofSeconds(20),
                () -> nextHops("pop1-router", VIP).contains(node.dataAddress()));
        eventually(
                "its BFD sessions are up",
                Duration.ofSeconds(20),
                () -> output(topology.in(
                                        node.name(),
                                        List.of("birdc", "-s", files(node) + "/bird.ctl", "show", "bfd", "sessions")))
                                .lines()
                                .filter(line -> line.contains(" Up "))
                                .count()
                        == 2);

        // Nothing is told to anybody: frames vanish while both ends keep their link.
        output(
                topology.in(
                        node.name(),
                        List.of(
                                "nft",
                                "add table inet cut; add chain inet cut out { type filter hook output priority 0; policy drop; }")));

        eventually(
                "the silent node is left",
                Duration.ofSeconds(4),
                () -> nextHops("pop1-router", VIP).equals(List.of("10.1.0.12")));
    }

    @Test
    void routersRefuseWhatIsNotTheNodesToAnnounce() throws Exception {
        NodePlan node = topology.shape().nodes(1).getFirst();
        eventually(
                "the node announces",
                Duration.ofSeconds(20),
                () -> nextHops("pop1-router", VIP).contains(node.dataAddress()));

        kill(guards, node);
        writeBirdFiles(
                node,
                "route 203.0.113.20/32 unreachable; route 8.8.8.8/32 unreachable; route 203.0.113.0/25 unreachable;"
                        + " route 192.0.2.0/26 unreachable; route 10.1.32.0/28 unreachable;");
        startGuard(node);

        eventually(
                "its own VIP",
                Duration.ofSeconds(20),
                () -> nextHops("pop1-router", "203.0.113.20").contains(node.dataAddress()));
        assertThat(nextHops("pop1-router", "8.8.8.8")).isEmpty();
        assertThat(nextHops("pop1-router", "203.0.113.0/25")).isEmpty();
        assertThat(nextHops("pop1-router", "192.0.2.0/26")).isEmpty();
        assertThat(nextHops("pop1-router", "10.1.32.0/28")).containsExactly("10.1.0.12");
    }

    private List<String> nextHops(String place, String prefix) throws IOException, InterruptedException {
        return Routes.nextHops(topology, place, prefix);
    }

    private void startEngine(NodePlan node) throws IOException {
        engines.put(
                node, run(node, GUARD.resolve("weir-guard-beat").toString(), heartbeat(node), "1", "" + node.number()));
    }

    private void startGuard(NodePlan node) throws IOException {
        String bird = files(node).toString();
        guards.put(
                node,
                run(
                        node,
                        GUARD.resolve("weir-guard").toString(),
                        "--heartbeat",
                        heartbeat(node),
                        "--bird-dir",
                        bird,
                        "--socket",
                        bird + "/guard.sock",
                        "--",
                        "bird",
                        "-f",
                        "-c",
                        bird + "/bird.conf",
                        "-s",
                        bird + "/bird.ctl"));
    }

    private Process run(NodePlan node, String... command) throws IOException {
        return new ProcessBuilder(topology.in(node.name(), List.of(command)))
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(
                        directory.resolve(node.name() + ".log").toFile()))
                .start();
    }

    private static String output(List<String> command) throws IOException, InterruptedException {
        return Shell.run(command).output();
    }

    private static void kill(Map<NodePlan, Process> processes, NodePlan node) throws InterruptedException {
        Process process = Objects.requireNonNull(processes.remove(node));
        process.destroyForcibly().waitFor();
    }

    private Path files(NodePlan node) throws IOException {
        return Files.createDirectories(directory.resolve(node.name()));
    }

    private String heartbeat(NodePlan node) throws IOException {
        return files(node).resolve("heartbeat").toString();
    }

    private void writeBirdFiles(NodePlan node, String routes) throws IOException {
        PopPlan pop = new PopPlan(node.pop());
        Files.writeString(
                files(node).resolve("routes.conf"),
                "protocol static announced { ipv4; " + routes + " }\nprotocol static announced_v6 { ipv6; route "
                        + VIP_V6 + "/128 unreachable; route " + node.snatRangeV6() + " unreachable; }\n");
        Files.writeString(
                files(node).resolve("bird.conf"),
                """
                router id %s;
                include "gate.conf";
                include "routes.conf";
                protocol device {}
                protocol bfd { interface "*" { interval 200 ms; multiplier 5; }; }
                protocol static way_back { ipv4; route 0.0.0.0/0 unreachable; }
                protocol static way_back_v6 { ipv6; route ::/0 unreachable; }
                """.formatted(node.controlAddress())
                        + session(
                                node,
                                "upstream",
                                pop.routerControlAddress(),
                                PopPlan.ROUTER_ASN,
                                "net.len != 0",
                                "net.len != 0")
                        + session(
                                node,
                                "member_side",
                                pop.membersControlAddress(),
                                PopPlan.MEMBERS_ASN,
                                "net.len < 32",
                                "net.len < 128"));
    }

    private static String session(
            NodePlan node, String name, String peer, int peerAsn, String exported, String exportedV6) {
        return """
                protocol bgp %s {
                	local %s as %d;
                	neighbor %s as %d;
                	connect delay time 1;
                	connect retry time 1;
                	error wait time 1, 2;
                	bfd on;
                	ipv4 {
                		import none;
                		next hop address %s;
                		export filter { if !weir_gate_open then reject; if %s then accept; reject; };
                	};
                	ipv6 {
                		import none;
                		next hop address %s;
                		export filter { if !weir_gate_open then reject; if %s then accept; reject; };
                	};
                }
                """.formatted(
                        name,
                        node.controlAddress(),
                        new PopPlan(node.pop()).nodeAsn(),
                        peer,
                        peerAsn,
                        node.dataAddress(),
                        exported,
                        node.dataAddressV6(),
                        exportedV6);
    }

    private static void eventually(String what, Duration limit, Condition condition) throws Exception {
        long begin = System.nanoTime();
        while (!condition.holds()) {
            assertThat(Duration.ofNanos(System.nanoTime() - begin)).as(what).isLessThan(limit);
            Thread.sleep(20);
        }
        System.out.printf("%s: %d ms%n", what, (System.nanoTime() - begin) / 1_000_000);
    }

    @FunctionalInterface
    private interface Condition {
        boolean holds() throws Exception;
    }
}
