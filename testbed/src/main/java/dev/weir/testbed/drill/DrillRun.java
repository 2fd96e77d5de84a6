// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.drill;

import dev.weir.testbed.scenario.Faults;
import dev.weir.testbed.scenario.Report;
import dev.weir.testbed.scenario.Scenario;
import dev.weir.testbed.scenario.WebAndEcho;
import dev.weir.testbed.topology.NodePlan;
import dev.weir.testbed.topology.PopPlan;
import dev.weir.testbed.topology.Shell;
import dev.weir.testbed.traffic.Client;
import dev.weir.testbed.traffic.DatagramsResult;
import dev.weir.testbed.traffic.HeldResult;
import dev.weir.testbed.traffic.HttpResult;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * What a drill works with.
 *
 * @param scenario    its own load balancer, which serves, and the clients
 * @param connections how many connections it holds, over all clients
 */
record DrillRun(Scenario scenario, DrillStack stack, int connections) {
    /** The parts of the centre, in an order in which they can be killed and, backwards, started. */
    static final List<String> CENTRE = List.of("api", "provisioner", "keycloak", "kafka", "postgres");

    private static final Duration LINE_EVERY = Duration.ofSeconds(1);
    private static final int DATAGRAMS_PER_SECOND = 20;
    static final int LOAD_PER_SECOND = 40;

    Faults faults() {
        return stack.faults();
    }

    Report report() {
        return scenario.report;
    }

    String vip() {
        return scenario.balancer.address();
    }

    /** Connections and datagrams that run through a whole drill, from every PoP's client. */
    final class Traffic implements AutoCloseable {
        private final List<Client.Running<HeldResult>> held = new ArrayList<>();
        private final List<Client.Running<DatagramsResult>> datagrams = new ArrayList<>();

        private Traffic() throws IOException {
            for (Client client : scenario.clients) {
                held.add(client.hold(vip(), WebAndEcho.HTTP_PORT, connections / scenario.clients.size(), LINE_EVERY));
                datagrams.add(client.datagrams(vip(), WebAndEcho.UDP_PORT, DATAGRAMS_PER_SECOND));
            }
        }

        int connections() throws IOException {
            return held.stream().mapToInt(each -> each.begin().connections()).sum();
        }

        int broken() throws IOException {
            int broken = 0;
            for (Client.Running<HeldResult> each : held) {
                broken += each.look().broken();
            }
            return broken;
        }

        /** The longest time that any client's flow of datagrams got no answer. */
        double datagramsGapMs() throws IOException {
            double longest = 0;
            for (Client.Running<DatagramsResult> each : datagrams) {
                longest = Math.max(longest, each.look().longestGapMs());
            }
            return longest;
        }

        int datagramsLost() throws IOException {
            int lost = 0;
            for (Client.Running<DatagramsResult> each : datagrams) {
                DatagramsResult result = each.look();
                lost += result.sent() - result.answered();
            }
            return lost;
        }

        @Override
        public void close() {
            held.forEach(Client.Running::close);
            datagrams.forEach(Client.Running::close);
        }
    }

    /** Opens all connections; they stream when this returns. */
    Traffic traffic() throws IOException {
        return new Traffic();
    }

    /** New connections at a steady rate from PoP 1's client. */
    Client.Running<HttpResult> load() throws IOException {
        return scenario.clients.getFirst().load(vip(), WebAndEcho.HTTP_PORT, LOAD_PER_SECOND);
    }

    /** Checks that new connections work from every client. */
    void checkServed(String when) throws IOException, InterruptedException {
        for (int i = 0; i < scenario.clients.size(); i++) {
            HttpResult result = scenario.fetch(scenario.clients.get(i), 100);
            report().check(
                            "client" + (i + 1) + " is served " + when,
                            result.failed() == 0,
                            result.ok() + " of " + result.requests() + " " + result.errors());
        }
    }

    /** Cuts a node off without telling anybody, or joins it again. */
    void link(NodePlan node, boolean up) throws IOException, InterruptedException {
        String router = new PopPlan(node.pop()).router();
        for (String port : List.of("lan-n" + node.number(), "ctl-n" + node.number())) {
            Shell.Result result =
                    Shell.run(scenario.topology.in(router, List.of("ip", "link", "set", port, up ? "up" : "down")));
            if (!result.ok()) {
                throw new IOException(
                        "cannot cut " + node.name() + " off: " + result.output().strip());
            }
        }
    }

    static String part(NodePlan node, String program) {
        return node.name() + "-" + program;
    }
}
