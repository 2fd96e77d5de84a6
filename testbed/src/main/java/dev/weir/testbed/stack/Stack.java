// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.stack;

import dev.weir.testbed.Part;
import dev.weir.testbed.node.Edge;
import dev.weir.testbed.node.NodePrograms;
import dev.weir.testbed.node.NodeRuntime;
import dev.weir.testbed.process.PidFile;
import dev.weir.testbed.seed.SampleClient;
import dev.weir.testbed.seed.Seed;
import dev.weir.testbed.servers.FreePorts;
import dev.weir.testbed.topology.Layout;
import java.io.IOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import tools.jackson.databind.JsonNode;

/**
 * All parts of the service, in the order in which they start.
 *
 * <p>Thread-safe: commands come from several connections. A part that was killed by name stays down until it is started by name or the
 * whole stack comes up again.
 */
final class Stack {
    private final Settings settings;
    private final LeftOvers leftOvers;
    private final Centre centre;
    private final Edge edge;
    private final SampleClient sample;
    private final Seed seed;
    private final Map<String, Part> parts = new LinkedHashMap<>();
    // Parts of the centre that should run; the edge's programs are each watched by their own.
    private final Set<Part> watched = ConcurrentHashMap.newKeySet();

    Stack(Settings settings) throws IOException, InterruptedException {
        this.settings = settings;
        this.leftOvers = new LeftOvers(settings);
        this.centre = new Centre(settings);
        Layout layout = new Layout(
                settings.data().resolve("nodes"),
                settings.logs(),
                settings.run(),
                Map.of(Settings.MARK, settings.instance()));
        this.edge = new Edge(settings.shape(), NodePrograms.ofClone(settings.source()), layout);
        this.sample = new SampleClient(edge.topology(), layout);
        this.seed = new Seed(
                URI.create(centre.apiUrl()),
                centre.keycloak(),
                settings.shape(),
                settings.state().resolve("env"));
        centre.parts().forEach(part -> parts.put(part.name(), part));
        edge.parts().forEach(part -> parts.put(part.name(), part));
        parts.put(SampleClient.NAME, sample.part());
    }

    List<Part> parts() {
        return List.copyOf(parts.values());
    }

    /** @throws IOException naming the parts there are, if there is none of that name */
    Part part(String name) throws IOException {
        Part part = parts.get(name);
        if (part == null) {
            throw new IOException("there is no part " + name + "; parts: " + String.join(" ", parts.keySet()));
        }
        return part;
    }

    /** Starts all that is not up and seeds it; returns when the sample load balancer serves. */
    void up(Progress progress) throws IOException, InterruptedException {
        leftOvers.claim();
        refuseTakenPorts();
        try (Steps steps = new Steps(progress)) {
            var namespaces = steps.step("namespaces", edge.topology()::create);
            var postgres = steps.step("postgres", () -> watch(centre.postgres()));
            var unpacked = steps.step("unpack", centre::unpack);
            var kafka = steps.step("kafka", () -> watch(centre.kafka()), namespaces);
            var keycloak = steps.step("keycloak", () -> watch(centre.keycloak()), postgres);
            var api = steps.step("api", () -> watch(centre.api()), postgres, unpacked);
            // The API brings the schema up to date.
            var provisioner = steps.step("provisioner", () -> watch(centre.provisioner()), kafka, api);
            steps.step("dashboard", () -> watch(centre.dashboard()));
            var routers = steps.step("routers", () -> start(edge.routers()), namespaces);
            var backends = steps.step("backends", () -> start(edge.backends()), namespaces);
            var engines = steps.step("engines", () -> start(engines()), namespaces);
            var fleet = steps.step("fleet", this::enrol, api, keycloak);
            var certificates = steps.step("certificates", this::certify, fleet, provisioner);
            // Nodes that know who they are come back from their own disks, whatever the centre does.
            boolean enrolled = edge.nodes().stream().allMatch(NodeRuntime::enrolled);
            var agents = enrolled
                    ? steps.step("agents", () -> start(agents()), engines)
                    : steps.step("agents", () -> start(agents()), engines, fleet, kafka);
            // A guard runs BIRD, whose settings the agent writes when it first hears of its node.
            var guards = enrolled
                    ? steps.step("guards", () -> start(guards()), agents)
                    : steps.step("guards", () -> start(guards()), agents, provisioner);
            Map<String, String> projects = new HashMap<>();
            var tenants = steps.step("tenants", () -> projects.putAll(seed.tenants()), fleet);
            var loadBalancer = steps.step(
                    "load balancer",
                    () -> seed.sampleLoadBalancer(Objects.requireNonNull(projects.get("acme"))),
                    tenants,
                    agents,
                    certificates);
            steps.step("sample client", sample.part()::start, loadBalancer, guards, routers, backends);
            steps.await();
        }
        summary().forEach(progress::note);
    }

    /** Ends all parts in order, then whatever else is left. */
    void down(Progress progress) throws IOException, InterruptedException {
        watched.clear();
        try (Steps steps = new Steps(progress)) {
            CompletableFuture<Void> edgeDown = steps.step("edge", () -> {
                sample.part().stop();
                stopAll(agents());
                stopAll(edge.nodes().stream().<Part>map(NodeRuntime::guard).toList());
                stopAll(edge.nodes().stream().<Part>map(NodeRuntime::engine).toList());
                stopAll(edge.backends());
                stopAll(edge.routers());
            });
            var dashboard = steps.step("dashboard", centre.dashboard()::stop);
            var provisioner = steps.step("provisioner", centre.provisioner()::stop);
            var api = steps.step("api", centre.api()::stop);
            var keycloak = steps.step("keycloak", centre.keycloak()::stop);
            var kafka = steps.step("kafka", centre.kafka()::stop, provisioner, edgeDown);
            var postgres = steps.step("postgres", centre.postgres()::stop, api, keycloak, provisioner);
            steps.step("namespaces", edge::remove, edgeDown, kafka, postgres, dashboard);
            steps.await();
        }
        leftOvers.remove();
    }

    void kill(String name, boolean restart) throws IOException, InterruptedException {
        Part part = part(name);
        if (restart) {
            part.crash();
        } else {
            watched.remove(part);
            part.kill();
        }
    }

    void start(String name) throws IOException, InterruptedException {
        Part part = part(name);
        if (centre.parts().contains(part)) {
            watch(part);
        } else {
            part.start();
        }
    }

    /** Starts again whichever watched part of the centre has died; called about every second. */
    void mend() throws IOException, InterruptedException {
        for (Part part : List.copyOf(watched)) {
            // Not up(): asking every second whether each one serves would cost more than some of them.
            boolean runs = new PidFile(settings.run().resolve(part.name() + ".pid"))
                    .living()
                    .isPresent();
            if (!runs && watched.contains(part)) {
                try {
                    part.start();
                } catch (IOException e) {
                    System.err.println(part.name() + " does not come back: " + e.getMessage());
                }
            }
        }
    }

    String sampleUrl() {
        return "http://" + Seed.SAMPLE_ADDRESS + "/";
    }

    /** What a person wants to know about the running stack. */
    List<String> summary() throws IOException {
        List<String> lines = new ArrayList<>();
        lines.add("Dashboard   " + centre.dashboardUrl());
        lines.add("  log in as alice@acme.example, bob@globex.example or operator@weir.example, password "
                + dev.weir.testbed.servers.KeycloakServer.PEOPLE_PASSWORD);
        lines.add("API         " + centre.apiUrl() + "/v1   (credentials: ./weir env acme)");
        lines.add("Try         ./weir exec client1 -- curl -s " + sampleUrl());
        Optional<JsonNode> status = sample.status();
        if (status.isPresent()) {
            lines.add("Traffic     " + traffic(status.get()));
        }
        return lines;
    }

    /** The sample client's figures in a line. */
    Optional<String> traffic() throws IOException {
        return sample.status().map(Stack::traffic);
    }

    private static String traffic(JsonNode status) {
        return "%s requests/s through %s, median %s ms, %d served, %d failed, by member %s"
                .formatted(
                        status.path("requests_per_second").asString("0"),
                        Seed.SAMPLE_ADDRESS,
                        status.path("median_ms").asString("-"),
                        status.path("requests_total").longValue(0),
                        status.path("failed_requests_total").longValue(0),
                        status.path("requests_by_member"));
    }

    private void enrol() throws IOException, InterruptedException {
        Map<String, Seed.Enrolment> enrolments = seed.fleet();
        for (NodeRuntime node : edge.nodes()) {
            Seed.Enrolment enrolment =
                    Objects.requireNonNull(enrolments.get(node.plan().name()));
            boolean changed = node.enrol(Map.of(
                    "node.id", enrolment.nodeId(),
                    "pop.id", enrolment.popId(),
                    "enrol.api", centre.apiUrl(),
                    "kafka.bootstrap", centre.kafka().bootstrap(),
                    "kafka.ca", centre.authority().authorityFile().toString(),
                    "kafka.cert", NodeRuntime.IDENTITY,
                    "kafka.key", NodeRuntime.IDENTITY));
            if (changed) {
                // One that runs already still has its former identity.
                node.agent().crash();
            }
        }
    }

    /** Nodes cannot reach the API's address, which is this machine's own: each is enrolled, and renewed, from here. */
    private void certify() throws IOException, InterruptedException {
        try (Steps steps = new Steps(Silence.INSTANCE)) {
            for (NodeRuntime node : edge.nodes()) {
                if (!centre.authority().issued(node.identity(), node.nodeId())) {
                    steps.step(
                            node.plan().name(), () -> node.certify(seed.enrolmentToken(node.popId(), node.nodeId())));
                }
            }
            steps.await();
        }
    }

    private List<Part> engines() {
        return edge.nodes().stream().<Part>map(NodeRuntime::engine).toList();
    }

    private List<Part> guards() {
        return edge.nodes().stream().<Part>map(NodeRuntime::guard).toList();
    }

    private List<Part> agents() {
        return edge.nodes().stream().<Part>map(NodeRuntime::agent).toList();
    }

    private void watch(Part part) throws IOException, InterruptedException {
        part.start();
        watched.add(part);
    }

    private static void start(List<? extends Part> parts) throws IOException, InterruptedException {
        all(parts, Part::start);
    }

    private static void stopAll(List<? extends Part> parts) throws IOException, InterruptedException {
        all(parts, Part::stop);
    }

    private interface Verb {
        void act(Part part) throws IOException, InterruptedException;
    }

    private static void all(List<? extends Part> parts, Verb verb) throws IOException, InterruptedException {
        try (Steps steps = new Steps(Silence.INSTANCE)) {
            parts.forEach(part -> steps.step(part.name(), () -> verb.act(part)));
            steps.await();
        }
    }

    private void refuseTakenPorts() throws IOException {
        Map<Part, Integer> ports = Map.of(
                centre.postgres(), settings.ports().postgres(),
                centre.keycloak(), settings.ports().keycloak(),
                centre.api(), settings.ports().api(),
                centre.provisioner(), settings.ports().provisioner(),
                centre.dashboard(), settings.ports().dashboard());
        for (Map.Entry<Part, Integer> entry : ports.entrySet()) {
            String name = entry.getKey().name();
            if (!watched.contains(entry.getKey()) && !entry.getKey().up() && !FreePorts.isFree(entry.getValue())) {
                throw new IOException("port " + entry.getValue() + ", which " + name
                        + " needs, is taken by another program: end that, or choose another port with WEIR_"
                        + name.toUpperCase(java.util.Locale.ROOT) + "_PORT");
            }
        }
    }

    private enum Silence implements Progress {
        INSTANCE;

        @Override
        public void began(String step) {}

        @Override
        public void done(String step, java.time.Duration took) {}

        @Override
        public void note(String text) {}
    }
}
