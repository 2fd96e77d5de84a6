// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.demo;

import dev.weir.testbed.topology.BackendPlan;
import dev.weir.testbed.topology.NodePlan;
import dev.weir.testbed.topology.PopPlan;
import dev.weir.testbed.topology.Routes;
import dev.weir.testbed.topology.Shape;
import dev.weir.testbed.topology.Shell;
import dev.weir.testbed.topology.Topology;
import dev.weir.testbed.traffic.Client;
import dev.weir.testbed.traffic.HeldResult;
import dev.weir.testbed.traffic.HttpResult;
import dev.weir.testbed.traffic.UdpResult;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/**
 * Walks the whole story on a running stack and says what it saw: create, traffic, weights, drain, faults, delete. It
 * needs at least one PoP with two nodes.
 */
public final class Demo {
    private static final int REQUESTS = 300;
    private static final int PARALLEL = 8;
    private static final int UDP_FLOWS = 30;
    private static final int DATAGRAMS = 10;
    private static final int HELD = 30;
    private static final int LOAD_PER_SECOND = 40;
    private static final Duration LONGEST = Duration.ofSeconds(30);

    private final Topology topology;
    private final Shape shape;
    private final Faults faults;
    private final DemoReport report;
    private final DemoLoadBalancer balancer;
    private final List<Client> clients = new ArrayList<>();
    private double worstAppliedMs;
    private double worstSeenMs;
    // What the clients did, by their own count.
    private int connections;
    private int udpFlows;
    private int datagrams;
    private int answers;

    private Demo(Topology topology, Faults faults, DemoReport report, ProjectApi api, Path directory)
            throws IOException {
        this.topology = topology;
        this.shape = topology.shape();
        this.faults = faults;
        this.report = report;
        this.balancer = new DemoLoadBalancer(api);
        for (int pop = 1; pop <= shape.pops(); pop++) {
            clients.add(new Client(topology, "client" + pop, directory));
        }
    }

    /**
     * Runs the demo.
     *
     * @param directory where it may put the clients' program
     * @param json      one JSON object at the end instead of lines for people
     * @return whether everything was as it should be
     */
    public static boolean run(
            DemoSettings settings, Topology topology, Faults faults, Path directory, boolean json, PrintStream out)
            throws InterruptedException {
        DemoReport report = new DemoReport(out, json);
        try (ProjectApi api = new ProjectApi(settings)) {
            new Demo(topology, faults, report, api, directory).walk();
            report.check("the demo came to its end", true, "all steps were taken");
        } catch (IOException e) {
            report.check("the demo came to its end", false, String.valueOf(e.getMessage()));
        }
        report.end();
        return report.ok();
    }

    private void walk() throws IOException, InterruptedException {
        if (balancer.deleteLeftOvers()) {
            report.say("Deleted what an earlier demo had left.");
        }
        create();
        try {
            traffic();
            try (Client.Running<HeldResult> held = hold()) {
                countersBeforeFaults();
                weights(held);
                drain(held);
                agentDeath(held);
                engineDeath(held);
                held.end();
            }
            countersAfterFaults();
        } finally {
            report.step("Delete everything");
            balancer.delete();
        }
        deleted();
    }

    private void create() throws IOException, InterruptedException {
        report.step("Create a load balancer through the API");
        long begun = System.nanoTime();
        long generation = balancer.create(shape);
        report.say("  " + balancer.id() + " on " + balancer.address() + ", generation " + generation);
        observe(generation);
        var rollout = balancer.rollout();
        report.check(
                "every node runs it",
                rollout.path("totals").path("applied").asInt() == shape.nodes().size(),
                rollout.path("totals").toString());
        for (Client client : clients) {
            firstAnswer(client);
        }
        report.figure("create_to_first_answers_ms", millisSince(begun));
    }

    private void firstAnswer(Client client) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + LONGEST.toNanos();
        Shell.Result answer;
        do {
            answer = client.curl("--connect-timeout", "1", "http://" + balancer.address() + "/");
            // An answer that did not come may still have been counted as a flow; one that came was.
            if (answer.ok()) {
                connections++;
                return;
            }
        } while (System.nanoTime() < deadline);
        throw new IOException("no answer from the VIP: " + answer.output().strip());
    }

    private void traffic() throws IOException, InterruptedException {
        report.step("Real traffic from every PoP's client");
        for (int pop = 1; pop <= shape.pops(); pop++) {
            Client client = clients.get(pop - 1);
            List<String> expected =
                    shape.backends(pop).stream().map(BackendPlan::name).toList();
            HttpResult http = fetch(client, REQUESTS);
            report.check(
                    "client" + pop + ": all requests are answered",
                    http.failed() == 0,
                    http.ok() + " of " + http.requests() + " " + http.errors());
            report.check(
                    "client" + pop + ": its own PoP's members serve, each a fair share",
                    fair(http.backends(), expected, REQUESTS),
                    new TreeMap<>(http.backends()).toString());
            HttpResult.Spread firstByte = http.firstByteMs();
            if (firstByte != null) {
                report.say("  first byte: median " + ms(firstByte.p50()) + ", p99 " + ms(firstByte.p99()));
                report.figure("client" + pop + "_first_byte_p50_ms", firstByte.p50());
                report.figure("client" + pop + "_first_byte_p99_ms", firstByte.p99());
            }
            report.figure("client" + pop + "_spread", new TreeMap<>(http.backends()));
            UdpResult udp = client.udp(balancer.address(), DemoLoadBalancer.UDP_PORT, UDP_FLOWS, DATAGRAMS);
            udpFlows += udp.flows();
            datagrams += udp.sent();
            answers += udp.answered();
            report.check(
                    "client" + pop + ": every datagram comes back, a flow stays with its member",
                    udp.answered() == udp.sent() && udp.mixedFlows() == 0,
                    udp.answered() + " of " + udp.sent() + ", flows by member " + new TreeMap<>(udp.backends()));
        }
    }

    private Client.Running<HeldResult> hold() throws IOException {
        report.step("Hold " + HELD + " connections open, on which the members stream");
        Client.Running<HeldResult> held = clients.getFirst().hold(balancer.address(), DemoLoadBalancer.HTTP_PORT, HELD);
        HeldResult begin = held.begin();
        connections += begin.connections();
        report.check(
                "all connections stream", begin.broken() == 0, new TreeMap<>(begin.backends()) + " " + begin.errors());
        return held;
    }

    private void countersBeforeFaults() throws IOException, InterruptedException {
        report.step("Weir's counters against the clients' own");
        long begun = System.nanoTime();
        long deadline = begun + LONGEST.toNanos();
        DemoLoadBalancer.Totals http = balancer.httpTotals();
        DemoLoadBalancer.Totals udp = balancer.udpTotals();
        while (!(http.newFlows() == connections
                        && udp.newFlows() == udpFlows
                        && udp.inPackets() == datagrams
                        && udp.outPackets() == answers)
                && System.nanoTime() < deadline) {
            TimeUnit.MILLISECONDS.sleep(250);
            http = balancer.httpTotals();
            udp = balancer.udpTotals();
        }
        report.figure("counters_complete_after_ms", millisSince(begun));
        equal("TCP flows", http.newFlows(), connections);
        equal("UDP flows", udp.newFlows(), udpFlows);
        equal("datagrams to members", udp.inPackets(), datagrams);
        equal("datagrams to clients", udp.outPackets(), answers);
    }

    private void equal(String what, long weir, long clientsOwn) {
        report.check(what + " are equal", weir == clientsOwn, "weir " + weir + ", clients " + clientsOwn);
    }

    private void weights(Client.Running<HeldResult> held) throws IOException, InterruptedException {
        String backend = shape.backends(1).getFirst().name();
        report.step("Weight of " + backend + ": 100 to 10");
        observe(balancer.weigh(backend, 10));
        HttpResult http = fetch(clients.getFirst(), REQUESTS);
        int share = http.backends().getOrDefault(backend, 0);
        // 10 of 10 + 100 per other member; twice that allows for chance.
        double fair = REQUESTS * 10.0 / (10 + 100.0 * (shape.backendsPerPop() - 1));
        report.check(
                "new connections follow the weight",
                http.failed() == 0 && (shape.backendsPerPop() == 1 || share <= 2 * fair + 5),
                new TreeMap<>(http.backends()) + ", " + backend + " should get about " + Math.round(fair));
        unbroken("weight_change", held.look());
        report.step("Weight of " + backend + ": back to 100");
        observe(balancer.weigh(backend, 100));
    }

    private void drain(Client.Running<HeldResult> held) throws IOException, InterruptedException {
        HeldResult before = held.look();
        String backend = before.alive().entrySet().stream()
                .max(Map.Entry.comparingByValue())
                .map(Map.Entry::getKey)
                .orElseThrow(() -> new IOException("no connection is open"));
        int open = before.alive().getOrDefault(backend, 0);
        report.step("Drain " + backend + ", which holds " + open + " of the open connections");
        observe(balancer.weigh(backend, 0));
        HttpResult http = fetch(clients.getFirst(), REQUESTS);
        report.check(
                "a draining member gets no new connection",
                http.failed() == 0 && !http.backends().containsKey(backend),
                new TreeMap<>(http.backends()).toString());
        HeldResult after = held.look();
        unbroken("drain", after);
        report.check(
                "its open connections stay",
                after.alive().getOrDefault(backend, 0) == open,
                after.alive().getOrDefault(backend, 0) + " of " + open);
        drainingStatus(backend, open);
        report.step("End the drain of " + backend);
        observe(balancer.weigh(backend, 100));
    }

    private void drainingStatus(String backend, int open) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + LONGEST.toNanos();
        var status = balancer.memberStatus(backend);
        while (!(status.path("operating_status").asString().equals("draining")
                        && status.path("active_flows").asLong() >= open)
                && System.nanoTime() < deadline) {
            TimeUnit.MILLISECONDS.sleep(250);
            status = balancer.memberStatus(backend);
        }
        report.check(
                "the API shows it draining, with its flows",
                status.path("operating_status").asString().equals("draining")
                        && status.path("active_flows").asLong() >= open,
                status.path("operating_status").asString() + ", "
                        + status.path("active_flows").asLong() + " active flows");
    }

    private void agentDeath(Client.Running<HeldResult> held) throws IOException, InterruptedException {
        NodePlan node = shape.nodes(1).getFirst();
        String agent = node.name() + "-agent";
        report.step("Kill " + agent);
        faults.kill(agent);
        HttpResult http = fetch(clients.getFirst(), REQUESTS);
        report.check(
                "all requests are answered without the agent",
                http.failed() == 0,
                http.ok() + " of " + http.requests() + " " + http.errors());
        unbroken("agent_death", held.look());
        report.check(
                "its node is still announced",
                nextHops().contains(node.dataAddress()),
                nextHops().toString());
        faults.start(agent);
    }

    private void engineDeath(Client.Running<HeldResult> held) throws IOException, InterruptedException {
        NodePlan node = shape.nodes(1).getFirst();
        String engine = node.name() + "-engine";
        report.step("Kill " + engine + " under " + LOAD_PER_SECOND + " new connections per second");
        HeldResult before = held.look();
        try (Client.Running<HttpResult> load =
                clients.getFirst().load(balancer.address(), DemoLoadBalancer.HTTP_PORT, LOAD_PER_SECOND)) {
            TimeUnit.SECONDS.sleep(1);
            long killed = System.nanoTime();
            faults.kill(engine);
            awaitNextHop(node, false);
            double withdrawnMs = millisSince(killed);
            report.figure("engine_death_withdrawn_after_ms", withdrawnMs);
            report.check(
                    "its routes are withdrawn after the hold time",
                    withdrawnMs < 3000,
                    "after " + ms(withdrawnMs) + ", left: " + nextHops());
            TimeUnit.SECONDS.sleep(5);
            long started = System.nanoTime();
            faults.start(engine);
            awaitNextHop(node, true);
            report.figure("engine_back_announced_after_ms", millisSince(started));
            report.say("  started again, announced after " + ms(millisSince(started)));
            TimeUnit.SECONDS.sleep(2);
            HttpResult result = load.end();
            connections += result.requests();
            double share = 100.0 * result.failed() / Math.max(1, result.requests());
            report.figure("engine_death_requests_failed", result.failed());
            report.figure("engine_death_requests", result.requests());
            report.figure("engine_death_requests_failed_percent", share);
            report.say(String.format(
                    Locale.ROOT,
                    "  new connections: %d of %d failed (%.1f %%) %s",
                    result.failed(),
                    result.requests(),
                    share,
                    result.errors()));
        }
        HeldResult after = held.look();
        int broken = after.broken() - before.broken();
        report.figure("engine_death_held_broken", broken);
        report.figure("engine_death_held_broken_percent", 100.0 * broken / Math.max(1, after.connections()));
        report.figure("engine_death_held_longest_silence_ms", after.longestGapMs());
        report.say("  open connections: " + broken + " of " + after.connections() + " broken " + after.errors()
                + ", longest silence " + ms(after.longestGapMs()));
        HttpResult http = fetch(clients.getFirst(), REQUESTS);
        report.check(
                "all requests are answered once it is over",
                http.failed() == 0,
                http.ok() + " of " + http.requests() + " " + http.errors());
    }

    private void countersAfterFaults() throws IOException, InterruptedException {
        report.step("Weir's counters against the clients' own, after the faults");
        long deadline = System.nanoTime() + LONGEST.toNanos();
        long before = -1;
        long now = balancer.httpTotals().newFlows();
        // Reports come every few seconds; a total that no longer moves is complete.
        while (now != before && System.nanoTime() < deadline) {
            before = now;
            TimeUnit.SECONDS.sleep(5);
            now = balancer.httpTotals().newFlows();
        }
        report.figure("counters_gap_after_faults_flows", connections - now);
        report.check(
                "TCP flows are never above the clients' own",
                now <= connections,
                "weir " + now + ", clients " + connections + ", gap " + (connections - now));
    }

    private void deleted() throws IOException, InterruptedException {
        long begun = System.nanoTime();
        long deadline = begun + LONGEST.toNanos();
        boolean gone = false;
        while (!gone && System.nanoTime() < deadline) {
            gone = true;
            for (PopPlan pop : shape.popPlans()) {
                gone &= Routes.nextHops(topology, pop.router(), balancer.address())
                        .isEmpty();
            }
            TimeUnit.MILLISECONDS.sleep(10);
        }
        report.figure("delete_to_withdrawn_ms", millisSince(begun));
        report.check("no PoP announces the VIP any more", gone, "after " + ms(millisSince(begun)));
        report.check("the API no longer knows the load balancer", !balancer.exists(), balancer.id());
        report.figure("commit_to_applied_worst_ms", worstAppliedMs);
        report.figure("commit_to_seen_worst_ms", worstSeenMs);
    }

    private void observe(long generation) throws IOException, InterruptedException {
        DemoLoadBalancer.Observed observed = balancer.await(generation);
        worstAppliedMs = Math.max(worstAppliedMs, observed.appliedMs());
        worstSeenMs = Math.max(worstSeenMs, observed.seenMs());
        report.say("  generation " + generation + ": commit to the last engine's acknowledgement "
                + ms(observed.appliedMs()) + ", seen by the caller after " + ms(observed.seenMs()));
    }

    private HttpResult fetch(Client client, int requests) throws IOException, InterruptedException {
        HttpResult result = client.http(balancer.address(), DemoLoadBalancer.HTTP_PORT, requests, PARALLEL);
        connections += result.requests();
        return result;
    }

    private void unbroken(String event, HeldResult held) {
        report.figure(event + "_held_broken", held.broken());
        report.check(
                "no open connection broke",
                held.broken() == 0,
                held.broken() + " of " + held.connections() + " " + held.errors());
    }

    private List<String> nextHops() throws IOException, InterruptedException {
        return Routes.nextHops(topology, new PopPlan(1).router(), balancer.address());
    }

    private void awaitNextHop(NodePlan node, boolean wanted) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + LONGEST.toNanos();
        while (nextHops().contains(node.dataAddress()) != wanted) {
            if (System.nanoTime() > deadline) {
                throw new IOException(node.name() + " is " + (wanted ? "not " : "still ") + "announced after "
                        + LONGEST.toSeconds() + " s");
            }
            TimeUnit.MILLISECONDS.sleep(10);
        }
    }

    // With equal weights each member should get the mean; half of it is far outside of chance.
    private static boolean fair(Map<String, Integer> backends, List<String> expected, int requests) {
        double mean = (double) requests / expected.size();
        return backends.keySet().stream().allMatch(expected::contains)
                && expected.stream().allMatch(name -> Math.abs(backends.getOrDefault(name, 0) - mean) <= mean / 2);
    }

    private static double millisSince(long begun) {
        return (System.nanoTime() - begun) / 1e6;
    }

    private static String ms(double value) {
        return String.format(Locale.ROOT, "%.1f ms", value);
    }
}
