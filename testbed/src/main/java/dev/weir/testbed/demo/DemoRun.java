// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.demo;

import dev.weir.testbed.topology.NodePlan;
import dev.weir.testbed.topology.PopPlan;
import dev.weir.testbed.topology.Routes;
import dev.weir.testbed.topology.Shape;
import dev.weir.testbed.topology.Topology;
import dev.weir.testbed.traffic.Client;
import dev.weir.testbed.traffic.HeldResult;
import dev.weir.testbed.traffic.HttpResult;
import dev.weir.testbed.traffic.UdpResult;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/** What all steps of one demo share: the load balancer, the clients, and what the clients did by their own count. */
final class DemoRun {
    /** How many connections a client makes where a share is looked at. */
    static final int REQUESTS = 300;
    /** The longest wait for anything. */
    static final Duration LONGEST = Duration.ofSeconds(30);

    private static final int PARALLEL = 8;

    final Topology topology;
    final Shape shape;
    final DemoReport report;
    final DemoLoadBalancer balancer;
    final List<Client> clients = new ArrayList<>();
    int connections;
    int synRepeats;
    int udpFlows;
    int datagrams;
    int answers;
    private double worstAppliedMs;
    private double worstSeenMs;

    DemoRun(Topology topology, DemoReport report, ProjectApi api, Path directory) throws IOException {
        this.topology = topology;
        this.shape = topology.shape();
        this.report = report;
        this.balancer = new DemoLoadBalancer(api);
        for (int pop = 1; pop <= shape.pops(); pop++) {
            clients.add(new Client(topology, "client" + pop, directory));
        }
    }

    void observe(long generation) throws IOException, InterruptedException {
        DemoLoadBalancer.Observed observed = balancer.await(generation);
        worstAppliedMs = Math.max(worstAppliedMs, observed.appliedMs());
        worstSeenMs = Math.max(worstSeenMs, observed.seenMs());
        report.say("  generation " + generation + ": commit to the last engine's acknowledgement "
                + ms(observed.appliedMs()) + ", seen by the caller after " + ms(observed.seenMs()));
    }

    void tellWorst() {
        report.figure("commit_to_applied_worst_ms", worstAppliedMs);
        report.figure("commit_to_seen_worst_ms", worstSeenMs);
    }

    HttpResult fetch(Client client, int requests) throws IOException, InterruptedException {
        HttpResult result = client.http(balancer.address(), DemoLoadBalancer.HTTP_PORT, requests, PARALLEL);
        count(result);
        return result;
    }

    void count(HttpResult result) {
        connections += result.requests();
        synRepeats += result.synRepeats();
    }

    UdpResult echo(Client client, int flows, int datagramsPerFlow) throws IOException, InterruptedException {
        UdpResult udp = client.udp(balancer.address(), DemoLoadBalancer.UDP_PORT, flows, datagramsPerFlow);
        udpFlows += udp.flows();
        datagrams += udp.sent();
        answers += udp.answered();
        return udp;
    }

    void unbroken(String event, HeldResult held) {
        report.figure(event.replace(' ', '_') + "_held_broken", held.broken());
        report.check(
                "no open connection broke by the " + event,
                held.broken() == 0,
                held.broken() + " of " + held.connections() + " " + held.errors());
    }

    /** Where PoP 1's router sends the VIP. */
    List<String> nextHops() throws IOException, InterruptedException {
        return Routes.nextHops(topology, new PopPlan(1).router(), balancer.address());
    }

    void awaitNextHop(NodePlan node, boolean wanted) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + LONGEST.toNanos();
        while (nextHops().contains(node.dataAddress()) != wanted) {
            if (System.nanoTime() > deadline) {
                throw new IOException(node.name() + " is " + (wanted ? "not " : "still ") + "announced after "
                        + LONGEST.toSeconds() + " s");
            }
            TimeUnit.MILLISECONDS.sleep(10);
        }
    }

    static double millisSince(long begun) {
        return (System.nanoTime() - begun) / 1e6;
    }

    static String ms(double value) {
        return String.format(Locale.ROOT, "%.1f ms", value);
    }
}
