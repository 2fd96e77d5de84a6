// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.scenario;

import dev.weir.testbed.topology.BackendPlan;
import dev.weir.testbed.topology.Shape;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.StreamSupport;
import tools.jackson.databind.JsonNode;

/** A scenario's own load balancer and VIP, made, changed, watched and deleted through the API alone. */
public final class WebAndEcho {
    public static final int HTTP_PORT = 80;
    public static final int UDP_PORT = 7000;

    private static final Duration LONGEST = Duration.ofSeconds(30);

    /**
     * How a change came home.
     *
     * @param generation the spec's number
     * @param appliedMs  from the commit to the last engine's acknowledgement
     * @param seenMs     from the commit until the caller read the generation as observed
     */
    public record Observed(long generation, double appliedMs, double seenMs) {}

    /**
     * Totals of the API's counters.
     *
     * @param newFlows   flows that began
     * @param inPackets  packets towards members
     * @param outPackets packets towards clients
     */
    public record Totals(long newFlows, long inPackets, long outPackets) {
        static final Totals NONE = new Totals(0, 0, 0);

        Totals plus(Totals other) {
            return new Totals(newFlows + other.newFlows, inPackets + other.inPackets, outPackets + other.outPackets);
        }
    }

    private final ProjectApi api;
    private final String name;
    private final Instant begin = Instant.now();
    private final Map<String, String> memberIds = new HashMap<>();
    private String id = "";
    private String vipId = "";
    private String address = "";
    private String poolId = "";
    private String httpListenerId = "";
    private String udpListenerId = "";

    public WebAndEcho(ProjectApi api, String name) {
        this.api = api;
        this.name = name;
    }

    public String id() {
        return id;
    }

    public String address() {
        return address;
    }

    /** Deletes what an earlier run that was interrupted left. */
    public boolean deleteLeftOvers() throws IOException, InterruptedException {
        boolean found = false;
        for (JsonNode left :
                api.get(api.inProject("/load-balancers?name=" + name)).path("items")) {
            api.delete(path(left.path("id").asString()));
            found = true;
        }
        for (JsonNode left : api.get(api.inProject("/vips?name=" + name)).path("items")) {
            api.delete(api.inProject("/vips/" + left.path("id").asString()));
            found = true;
        }
        return found;
    }

    /** Reserves a VIP and creates the load balancer on it: HTTP by dnat, UDP echo by snat. */
    public long create(Shape shape) throws IOException, InterruptedException {
        Map<String, String> pops = popIds();
        JsonNode vip = api.post(api.inProject("/vips"), Map.of("name", name));
        vipId = vip.path("id").asString();
        address = vip.path("address").asString();
        Map<String, Object> body = tree(shape, pops, BackendPlan.OTHER_HTTP_PORT);
        body.put("vip_ids", List.of(vipId));
        JsonNode made = api.post(api.inProject("/load-balancers"), body);
        remember(made);
        return made.path("generation").asLong();
    }

    /** Sets an HTTP member's weight; returns the generation that the change made, if nobody else changes anything. */
    public long weigh(String backend, int weight) throws IOException, InterruptedException {
        weigh(api, backend, weight);
        return generation();
    }

    /** Sets an HTTP member's weight through another thread's connection. */
    public void weigh(ProjectApi caller, String backend, int weight) throws IOException, InterruptedException {
        caller.patch(memberPath(backend), Map.of("weight", weight));
    }

    /** An HTTP member's weight as the API tells it. */
    public int weight(String backend) throws IOException, InterruptedException {
        return api.get(memberPath(backend)).path("weight").asInt(-1);
    }

    /** The number of the newest spec. */
    public long generation() throws IOException, InterruptedException {
        return api.get(path(id)).path("generation").asLong();
    }

    /** Puts members on another port in the place of the HTTP pool's, all at once. */
    public long replaceHttpMembers(Shape shape, int port) throws IOException, InterruptedException {
        JsonNode made = api.put(path(id) + "/tree", tree(shape, popIds(), port), generation());
        remember(made);
        return made.path("generation").asLong();
    }

    /** Waits until every reachable node runs the generation. */
    public Observed await(long generation) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + LONGEST.toNanos();
        while (api.get(path(id) + "/status").path("observed_generation").asLong() < generation) {
            if (System.nanoTime() > deadline) {
                throw new IOException("generation " + generation + " was not observed within " + LONGEST.toSeconds()
                        + " s: " + api.get(path(id) + "/rollout"));
            }
            TimeUnit.MILLISECONDS.sleep(20);
        }
        Instant seen = Instant.now();
        JsonNode rollout = api.get(path(id) + "/rollout");
        // The service's clock; the scenario runs on the same machine.
        Instant committed = Instant.parse(rollout.path("committed_at").asString());
        double seenMs = Duration.between(committed, seen).toNanos() / 1e6;
        double appliedMs = StreamSupport.stream(rollout.path("nodes").spliterator(), false)
                .mapToDouble(node -> node.path("lag_ms").asDouble())
                .max()
                .orElse(Double.NaN);
        return new Observed(generation, appliedMs, seenMs);
    }

    /** From now on, changes reach the PoPs in waves. */
    public void stageChanges() throws IOException, InterruptedException {
        api.patch(path(id), Map.of("rollout", "staged"));
    }

    /** @param verb {@code promote}, {@code stop} or {@code revert} */
    public void settleRollout(String verb) throws IOException, InterruptedException {
        api.post(path(id) + "/rollout:" + verb, Map.of());
    }

    public JsonNode rollout() throws IOException, InterruptedException {
        return api.get(path(id) + "/rollout");
    }

    /** The status of the HTTP member on a backend. */
    public JsonNode memberStatus(String backend) throws IOException, InterruptedException {
        for (JsonNode pool : api.get(path(id) + "/status").path("pools")) {
            for (JsonNode member : pool.path("members")) {
                if (member.path("id").asString().equals(memberIds.get(backend))) {
                    return member;
                }
            }
        }
        throw new IOException("the status does not name the member on " + backend);
    }

    public Totals httpTotals() throws IOException, InterruptedException {
        return totals(httpListenerId);
    }

    public Totals udpTotals() throws IOException, InterruptedException {
        return totals(udpListenerId);
    }

    public void delete() throws IOException, InterruptedException {
        api.delete(path(id));
        api.delete(api.inProject("/vips/" + vipId));
    }

    /** Whether the API still knows it. */
    public boolean exists() throws IOException, InterruptedException {
        try {
            api.get(path(id));
            return true;
        } catch (ApiException e) {
            if (e.status() == 404) {
                return false;
            }
            throw e;
        }
    }

    private Totals totals(String listenerId) throws IOException, InterruptedException {
        JsonNode metrics = api.get(path(id) + "/metrics?from=" + begin.minusSeconds(10));
        return StreamSupport.stream(metrics.path("rows").spliterator(), false)
                .filter(row -> row.path("listener_id").asString().equals(listenerId))
                .map(row -> new Totals(
                        row.path("new_flows").asLong(),
                        row.path("in_packets").asLong(),
                        row.path("out_packets").asLong()))
                .reduce(Totals.NONE, Totals::plus);
    }

    private Map<String, Object> tree(Shape shape, Map<String, String> pops, int httpPort) throws IOException {
        Map<String, Object> monitor =
                Map.of("type", "tcp_connect", "interval_ms", 500, "timeout_ms", 400, "port", httpPort);
        Map<String, Object> web = new HashMap<>(pool("web", "maglev", "dnat", monitor));
        web.put("drain_timeout_s", 120);
        web.put("members", members(shape, pops, httpPort));
        Map<String, Object> echo = new HashMap<>(pool("echo", "round_robin", "snat", monitor));
        echo.put("members", members(shape, pops, BackendPlan.OTHER_UDP_PORT));
        Map<String, Object> tree = new HashMap<>();
        tree.put("name", name);
        tree.put(
                "listeners",
                List.of(listener("http", "tcp", HTTP_PORT, "web"), listener("echo", "udp", UDP_PORT, "echo")));
        tree.put("pools", List.of(web, echo));
        return tree;
    }

    private static Map<String, Object> pool(String name, String algorithm, String mode, Map<String, Object> monitor) {
        return Map.of("name", name, "algorithm", algorithm, "forwarding_mode", mode, "health_monitor", monitor);
    }

    private void remember(JsonNode made) {
        id = made.path("id").asString();
        for (JsonNode listener : made.path("listeners")) {
            String listenerId = listener.path("id").asString();
            if (listener.path("name").asString().equals("http")) {
                httpListenerId = listenerId;
            } else {
                udpListenerId = listenerId;
            }
        }
        for (JsonNode pool : made.path("pools")) {
            if (pool.path("name").asString().equals("web")) {
                poolId = pool.path("id").asString();
                for (JsonNode member : pool.path("members")) {
                    memberIds.put(
                            member.path("name").asString(), member.path("id").asString());
                }
            }
        }
    }

    private Map<String, String> popIds() throws IOException, InterruptedException {
        Map<String, String> ids = new HashMap<>();
        for (JsonNode pop : api.get("/v1/pops").path("items")) {
            ids.put(pop.path("name").asString(), pop.path("id").asString());
        }
        return ids;
    }

    private static Map<String, Object> listener(String name, String protocol, int port, String pool) {
        return Map.of(
                "name", name,
                "protocol", protocol,
                "port_ranges", List.of(Map.of("first", port, "last", port)),
                "pool_name", pool);
    }

    private static List<Map<String, Object>> members(Shape shape, Map<String, String> pops, int port)
            throws IOException {
        for (int pop = 1; pop <= shape.pops(); pop++) {
            if (!pops.containsKey("pop" + pop)) {
                throw new IOException("the API does not know pop" + pop + ", only " + pops.keySet());
            }
        }
        return shape.backends().stream()
                .map(backend -> Map.<String, Object>of(
                        "name", backend.name(),
                        "address", backend.address(),
                        "port", Map.of("kind", "fixed", "value", port),
                        "weight", 100,
                        "pop_ids", List.of(pops.get("pop" + backend.pop()))))
                .toList();
    }

    private String memberPath(String backend) {
        return path(id) + "/pools/" + poolId + "/members/" + memberIds.get(backend);
    }

    private String path(String loadBalancerId) {
        return api.inProject("/load-balancers/" + loadBalancerId);
    }
}
