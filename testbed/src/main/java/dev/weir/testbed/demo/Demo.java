// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.demo;

import dev.weir.testbed.scenario.Faults;
import dev.weir.testbed.scenario.ProjectAccess;
import dev.weir.testbed.scenario.ProjectApi;
import dev.weir.testbed.scenario.Report;
import dev.weir.testbed.scenario.Scenario;
import dev.weir.testbed.scenario.WebAndEcho;
import dev.weir.testbed.topology.BackendPlan;
import dev.weir.testbed.topology.PopPlan;
import dev.weir.testbed.topology.Routes;
import dev.weir.testbed.topology.Topology;
import dev.weir.testbed.traffic.Client;
import dev.weir.testbed.traffic.HeldResult;
import dev.weir.testbed.traffic.HttpResult;
import dev.weir.testbed.traffic.UdpResult;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/**
 * Walks the whole story on a running stack and says what it saw: create, traffic, weights, drain, faults, delete. It
 * needs at least one PoP with two nodes.
 */
public final class Demo {
    private static final int UDP_FLOWS = 30;
    private static final int DATAGRAMS = 10;
    private static final int HELD = 30;
    private static final Duration LINE_EVERY = Duration.ofMillis(100);

    private final Scenario run;
    private final Report report;
    private final DemoFaults faults;

    private Demo(Scenario run, Faults faults) {
        this.run = run;
        this.report = run.report;
        this.faults = new DemoFaults(run, faults);
    }

    /**
     * Runs the demo.
     *
     * @param directory where it may put the clients' program
     * @param json      one JSON object at the end instead of lines for people
     * @return whether everything was as it should be
     */
    public static boolean run(
            ProjectAccess settings, Topology topology, Faults faults, Path directory, boolean json, PrintStream out)
            throws InterruptedException {
        Report report = new Report(out, json);
        try (ProjectApi api = new ProjectApi(settings)) {
            new Demo(new Scenario(topology, report, api, "demo", directory), faults).walk();
            report.check("the demo came to its end", true, "all steps were taken");
        } catch (IOException e) {
            report.check("the demo came to its end", false, String.valueOf(e.getMessage()));
        }
        report.end();
        return report.ok();
    }

    private void walk() throws IOException, InterruptedException {
        if (run.balancer.deleteLeftOvers()) {
            report.say("Deleted what an earlier demo had left.");
        }
        create();
        try {
            traffic();
            try (Client.Running<HeldResult> held = hold()) {
                countersBeforeFaults();
                weights(held);
                drain(held);
                faults.agentDeath(held);
                faults.engineDeath(held);
                held.end();
            }
            countersAfterFaults();
        } finally {
            report.step("Delete everything");
            run.balancer.delete();
        }
        deleted();
    }

    private void create() throws IOException, InterruptedException {
        report.step("Create a load balancer through the API");
        long begun = System.nanoTime();
        long generation = run.balancer.create(run.shape);
        report.say("  " + run.balancer.id() + " on " + run.balancer.address() + ", generation " + generation);
        run.observe(generation);
        var rollout = run.balancer.rollout();
        report.check(
                "every node runs it",
                rollout.path("totals").path("applied").asInt()
                        == run.shape.nodes().size(),
                rollout.path("totals").toString());
        run.awaitServed();
        report.figure("create_to_first_answers_ms", Scenario.millisSince(begun));
    }

    private void traffic() throws IOException, InterruptedException {
        report.step("Real traffic from every PoP's client");
        for (int pop = 1; pop <= run.shape.pops(); pop++) {
            Client client = run.clients.get(pop - 1);
            List<String> expected =
                    run.shape.backends(pop).stream().map(BackendPlan::name).toList();
            HttpResult http = run.fetch(client, Scenario.REQUESTS);
            report.check(
                    "client" + pop + ": all requests are answered",
                    http.failed() == 0,
                    http.ok() + " of " + http.requests() + " " + http.errors());
            report.check(
                    "client" + pop + ": its own PoP's members serve, each a fair share",
                    fair(http.backends(), expected, Scenario.REQUESTS),
                    new TreeMap<>(http.backends()).toString());
            HttpResult.Spread firstByte = http.firstByteMs();
            if (firstByte != null) {
                report.say("  first byte: median " + Scenario.ms(firstByte.p50()) + ", p99 "
                        + Scenario.ms(firstByte.p99()));
                report.figure("client" + pop + "_first_byte_p50_ms", firstByte.p50());
                report.figure("client" + pop + "_first_byte_p99_ms", firstByte.p99());
            }
            report.figure("client" + pop + "_spread", new TreeMap<>(http.backends()));
            UdpResult udp = run.echo(client, UDP_FLOWS, DATAGRAMS);
            report.check(
                    "client" + pop + ": every datagram comes back, a flow stays with its member",
                    udp.answered() == udp.sent() && udp.mixedFlows() == 0,
                    udp.answered() + " of " + udp.sent() + ", flows by member " + new TreeMap<>(udp.backends()));
        }
    }

    private Client.Running<HeldResult> hold() throws IOException {
        report.step("Hold " + HELD + " connections open, on which the members stream");
        Client.Running<HeldResult> held =
                run.clients.getFirst().hold(run.balancer.address(), WebAndEcho.HTTP_PORT, HELD, LINE_EVERY);
        HeldResult begin = held.begin();
        run.countConnections(begin.connections());
        report.check(
                "all connections stream", begin.broken() == 0, new TreeMap<>(begin.backends()) + " " + begin.errors());
        return held;
    }

    private void countersBeforeFaults() throws IOException, InterruptedException {
        report.step("Weir's counters against the clients' own");
        long begun = System.nanoTime();
        long deadline = begun + Scenario.LONGEST.toNanos();
        WebAndEcho.Totals http = run.balancer.httpTotals();
        WebAndEcho.Totals udp = run.balancer.udpTotals();
        while (!(http.newFlows() == run.connections()
                        && udp.newFlows() == run.udpFlows()
                        && udp.inPackets() == run.datagrams()
                        && udp.outPackets() == run.answers())
                && System.nanoTime() < deadline) {
            TimeUnit.MILLISECONDS.sleep(250);
            http = run.balancer.httpTotals();
            udp = run.balancer.udpTotals();
        }
        report.figure("counters_complete_after_ms", Scenario.millisSince(begun));
        equal("TCP flows", http.newFlows(), run.connections());
        equal("UDP flows", udp.newFlows(), run.udpFlows());
        equal("datagrams to members", udp.inPackets(), run.datagrams());
        equal("datagrams to clients", udp.outPackets(), run.answers());
    }

    private void equal(String what, long weir, long clientsOwn) {
        report.check(what + " are equal", weir == clientsOwn, "weir " + weir + ", clients " + clientsOwn);
    }

    private void weights(Client.Running<HeldResult> held) throws IOException, InterruptedException {
        String backend = run.shape.backends(1).getFirst().name();
        report.step("Weight of " + backend + ": 100 to 10");
        run.observe(run.balancer.weigh(backend, 10));
        HttpResult http = run.fetch(run.clients.getFirst(), Scenario.REQUESTS);
        int share = http.backends().getOrDefault(backend, 0);
        // 10 of 10 + 100 per other member; twice that allows for chance.
        double fair = Scenario.REQUESTS * 10.0 / (10 + 100.0 * (run.shape.backendsPerPop() - 1));
        report.check(
                "new connections follow the weight",
                http.failed() == 0 && (run.shape.backendsPerPop() == 1 || share <= 2 * fair + 5),
                new TreeMap<>(http.backends()) + ", " + backend + " should get about " + Math.round(fair));
        run.unbroken("weight change", held.look());
        report.step("Weight of " + backend + ": back to 100");
        run.observe(run.balancer.weigh(backend, 100));
    }

    private void drain(Client.Running<HeldResult> held) throws IOException, InterruptedException {
        HeldResult before = held.look();
        String backend = before.alive().entrySet().stream()
                .max(Map.Entry.comparingByValue())
                .map(Map.Entry::getKey)
                .orElseThrow(() -> new IOException("no connection is open"));
        int open = before.alive().getOrDefault(backend, 0);
        report.step("Drain " + backend + ", which holds " + open + " of the open connections");
        run.observe(run.balancer.weigh(backend, 0));
        HttpResult http = run.fetch(run.clients.getFirst(), Scenario.REQUESTS);
        report.check(
                "a draining member gets no new connection",
                http.failed() == 0 && !http.backends().containsKey(backend),
                new TreeMap<>(http.backends()).toString());
        HeldResult after = held.look();
        run.unbroken("drain", after);
        report.check(
                "its open connections stay",
                after.alive().getOrDefault(backend, 0) == open,
                after.alive().getOrDefault(backend, 0) + " of " + open);
        drainingStatus(backend, open);
        report.step("End the drain of " + backend);
        run.observe(run.balancer.weigh(backend, 100));
    }

    private void drainingStatus(String backend, int open) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + Scenario.LONGEST.toNanos();
        var status = run.balancer.memberStatus(backend);
        while (!(status.path("operating_status").asString().equals("draining")
                        && status.path("active_flows").asLong() >= open)
                && System.nanoTime() < deadline) {
            TimeUnit.MILLISECONDS.sleep(250);
            status = run.balancer.memberStatus(backend);
        }
        report.check(
                "the API shows it draining, with its flows",
                status.path("operating_status").asString().equals("draining")
                        && status.path("active_flows").asLong() >= open,
                status.path("operating_status").asString() + ", "
                        + status.path("active_flows").asLong() + " active flows");
    }

    private void countersAfterFaults() throws IOException, InterruptedException {
        report.step("Weir's counters against the clients' own, after the faults");
        long deadline = System.nanoTime() + Scenario.LONGEST.toNanos();
        long before = -1;
        long now = run.balancer.httpTotals().newFlows();
        // Reports come every few seconds; a total that no longer moves is complete.
        while (now != before && System.nanoTime() < deadline) {
            before = now;
            TimeUnit.SECONDS.sleep(5);
            now = run.balancer.httpTotals().newFlows();
        }
        report.figure("counters_gap_after_faults_flows", run.connections() - now);
        report.figure("syn_repeats", run.synRepeats());
        // A SYN whose answer the dead engine took with it is sent again, and begins a flow on the other node as well.
        report.check(
                "TCP flows are never above what the clients began",
                now <= run.connections() + run.synRepeats(),
                "weir " + now + ", clients " + run.connections() + " and " + run.synRepeats() + " repeated SYNs, gap "
                        + (run.connections() - now));
    }

    private void deleted() throws IOException, InterruptedException {
        long begun = System.nanoTime();
        long deadline = begun + Scenario.LONGEST.toNanos();
        boolean gone = false;
        while (!gone && System.nanoTime() < deadline) {
            gone = true;
            for (PopPlan pop : run.shape.popPlans()) {
                gone &= Routes.nextHops(run.topology, pop.router(), run.balancer.address())
                        .isEmpty();
            }
            TimeUnit.MILLISECONDS.sleep(10);
        }
        report.figure("delete_to_withdrawn_ms", Scenario.millisSince(begun));
        report.check("no PoP announces the VIP any more", gone, "after " + Scenario.ms(Scenario.millisSince(begun)));
        report.check("the API no longer knows the load balancer", !run.balancer.exists(), run.balancer.id());
        run.tellWorst();
    }

    // With equal weights each member should get the mean; half of it is far outside of chance.
    private static boolean fair(Map<String, Integer> backends, List<String> expected, int requests) {
        double mean = (double) requests / expected.size();
        return backends.keySet().stream().allMatch(expected::contains)
                && expected.stream().allMatch(name -> Math.abs(backends.getOrDefault(name, 0) - mean) <= mean / 2);
    }
}
