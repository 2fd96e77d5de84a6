// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.scenario;

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
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/** What all steps of one scenario share: the load balancer, the clients, and what the clients did by their own count. */
public final class Scenario {
    /** How many connections a client makes where a share is looked at. */
    public static final int REQUESTS = 300;
    /** The longest wait for anything. */
    public static final Duration LONGEST = Duration.ofSeconds(30);

    private static final int PARALLEL = 8;

    public final Topology topology;
    public final Shape shape;
    public final Report report;
    public final WebAndEcho balancer;
    public final List<Client> clients = new ArrayList<>();
    private int connections;
    private int synRepeats;
    private int udpFlows;
    private int datagrams;
    private int answers;
    private double worstAppliedMs;
    private double worstSeenMs;

    /**
     * @param name      of the load balancer and the VIP it makes
     * @param directory where it may put the clients' program
     */
    public Scenario(Topology topology, Report report, ProjectApi api, String name, Path directory) throws IOException {
        this.topology = topology;
        this.shape = topology.shape();
        this.report = report;
        this.balancer = new WebAndEcho(api, name);
        for (int pop = 1; pop <= shape.pops(); pop++) {
            clients.add(new Client(topology, "client" + pop, directory));
        }
    }

    /** Connections that the clients began, by their own count. */
    public int connections() {
        return connections;
    }

    /** SYNs that they sent again. */
    public int synRepeats() {
        return synRepeats;
    }

    /** Sockets that they sent datagrams from. */
    public int udpFlows() {
        return udpFlows;
    }

    /** Datagrams that they sent. */
    public int datagrams() {
        return datagrams;
    }

    /** Datagrams that came back. */
    public int answers() {
        return answers;
    }

    public void countConnections(int begun) {
        connections += begun;
    }

    public void observe(long generation) throws IOException, InterruptedException {
        WebAndEcho.Observed observed = balancer.await(generation);
        worstAppliedMs = Math.max(worstAppliedMs, observed.appliedMs());
        worstSeenMs = Math.max(worstSeenMs, observed.seenMs());
        report.say("  generation " + generation + ": commit to the last engine's acknowledgement "
                + ms(observed.appliedMs()) + ", seen by the caller after " + ms(observed.seenMs()));
    }

    /** Waits until every client has got an answer through the VIP. */
    public void awaitServed() throws IOException, InterruptedException {
        for (Client client : clients) {
            firstAnswer(client);
        }
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

    public void tellWorst() {
        report.figure("commit_to_applied_worst_ms", worstAppliedMs);
        report.figure("commit_to_seen_worst_ms", worstSeenMs);
    }

    public HttpResult fetch(Client client, int requests) throws IOException, InterruptedException {
        HttpResult result = client.http(balancer.address(), WebAndEcho.HTTP_PORT, requests, PARALLEL);
        count(result);
        return result;
    }

    public void count(HttpResult result) {
        connections += result.requests();
        synRepeats += result.synRepeats();
    }

    public UdpResult echo(Client client, int flows, int datagramsPerFlow) throws IOException, InterruptedException {
        UdpResult udp = client.udp(balancer.address(), WebAndEcho.UDP_PORT, flows, datagramsPerFlow);
        udpFlows += udp.flows();
        datagrams += udp.sent();
        answers += udp.answered();
        return udp;
    }

    public void unbroken(String event, HeldResult held) {
        report.figure(event.replace(' ', '_') + "_held_broken", held.broken());
        report.check(
                "no open connection broke by the " + event,
                held.broken() == 0,
                held.broken() + " of " + held.connections() + " " + held.errors());
    }

    /** Where PoP 1's router sends the VIP. */
    public List<String> nextHops() throws IOException, InterruptedException {
        return Routes.nextHops(topology, new PopPlan(1).router(), balancer.address());
    }

    public void awaitNextHop(NodePlan node, boolean wanted) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + LONGEST.toNanos();
        while (nextHops().contains(node.dataAddress()) != wanted) {
            if (System.nanoTime() > deadline) {
                throw new IOException(node.name() + " is " + (wanted ? "not " : "still ") + "announced after "
                        + LONGEST.toSeconds() + " s");
            }
            TimeUnit.MILLISECONDS.sleep(10);
        }
    }

    public static double millisSince(long begun) {
        return (System.nanoTime() - begun) / 1e6;
    }

    public static String ms(double value) {
        return String.format(Locale.ROOT, "%.1f ms", value);
    }
}
