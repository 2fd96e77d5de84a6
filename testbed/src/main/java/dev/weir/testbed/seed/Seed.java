// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.seed;

import dev.weir.testbed.servers.KeycloakServer;
import dev.weir.testbed.topology.BackendPlan;
import dev.weir.testbed.topology.NodePlan;
import dev.weir.testbed.topology.PopPlan;
import dev.weir.testbed.topology.Shape;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * The testbed's fleet and its sample tenants {@code acme} and {@code globex}, made as operators and tenants make theirs.
 *
 * <p>Everything is found by its name first, so seeding again changes nothing.
 */
public final class Seed {
    /** The sample load balancer's address. */
    public static final String SAMPLE_ADDRESS = "203.0.113.10";

    private static final List<Sample> SAMPLES =
            List.of(new Sample("acme", "alice@acme.example"), new Sample("globex", "bob@globex.example"));
    /** The same load balancer's IPv6 address. */
    public static final String SAMPLE_ADDRESS_V6 = "2001:db8:f::10";

    private static final String POOL_PREFIX = "203.0.113.0/24";
    private static final String POOL_PREFIX_V6 = "2001:db8:f::/64";
    private static final Duration LONGEST_ROLLOUT = Duration.ofSeconds(30);

    private final URI api;
    private final KeycloakServer keycloak;
    private final Shape shape;
    private final Path envDirectory;
    private final HttpClient http = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(2))
            .build();
    private final JsonMapper json = JsonMapper.shared();

    private record Sample(String name, String admin) {}

    /**
     * Which ids a node got.
     *
     * @param nodeId its own, the common name of its certificate to be
     * @param popId  its PoP's
     */
    public record Enrolment(String nodeId, String popId) {}

    /**
     * @param api          the API's address, without a path
     * @param envDirectory where each project's and the operator's shell exports are written
     */
    public Seed(URI api, KeycloakServer keycloak, Shape shape, Path envDirectory) {
        this.api = api;
        this.keycloak = keycloak;
        this.shape = shape;
        this.envDirectory = envDirectory;
    }

    /**
     * Makes the address pool, the PoPs and the nodes.
     *
     * @return for each node's name the ids it got
     */
    public Map<String, Enrolment> fleet() throws IOException, InterruptedException {
        RestApi operator = operator();
        ObjectNode pool = json.createObjectNode().put("name", "anycast");
        pool.putArray("prefixes").add(POOL_PREFIX);
        operator.findOrCreate("/v1/address-pools", pool);
        ObjectNode poolV6 = json.createObjectNode().put("name", "anycast-v6");
        poolV6.putArray("prefixes").add(POOL_PREFIX_V6);
        operator.findOrCreate("/v1/address-pools", poolV6);
        Map<String, Enrolment> enrolments = new HashMap<>();
        for (PopPlan plan : shape.popPlans()) {
            String popId = id(operator.findOrCreate("/v1/pops", pop(plan)));
            for (NodePlan node : shape.nodes(plan.number())) {
                JsonNode made = operator.findOrCreate("/v1/pops/" + popId + "/nodes", node(plan, node));
                enrolments.put(node.name(), new Enrolment(id(made), popId));
            }
        }
        writeEnv("operator", keycloak.secret("weir-operator"), "weir-operator", "");
        return enrolments;
    }

    /** A token by which a node gets its certificate. */
    public String enrolmentToken(String popId, String nodeId) throws IOException, InterruptedException {
        return operator()
                .post("/v1/pops/%s/nodes/%s:enroll".formatted(popId, nodeId), json.createObjectNode())
                .required("token")
                .stringValue();
    }

    /** Makes the sample tenants, their projects, grants and machine clients; returns the project's id of each. */
    public Map<String, String> tenants() throws IOException, InterruptedException {
        RestApi operator = operator();
        Map<String, String> projects = new HashMap<>();
        for (Sample sample : SAMPLES) {
            String tenantId = id(operator.findOrCreate(
                    "/v1/tenants",
                    json.createObjectNode()
                            .put("name", sample.name())
                            .put("display_name", title(sample.name()))
                            .put("domain", sample.name() + ".example")));
            ObjectNode project = json.createObjectNode()
                    .put("tenant_id", tenantId)
                    .put("name", sample.name())
                    .put("display_name", title(sample.name()) + " web");
            ArrayNode cidrs = project.putArray("member_cidrs");
            // Members of dsr pools are on the engines' own network.
            shape.popPlans()
                    .forEach(pop -> cidrs.add(pop.membersPrefix())
                            .add(pop.membersPrefixV6())
                            .add(pop.lanPrefix())
                            .add(pop.lanPrefixV6()));
            String projectId = id(operator.findOrCreate("/v1/projects", project));
            grant(operator, projectId, sample.admin());
            serviceAccount(operator, projectId, sample.name());
            projects.put(sample.name(), projectId);
        }
        return projects;
    }

    /**
     * Makes the sample load balancer of {@code acme} with its own service account, and waits until the edge runs it.
     *
     * @param projectId the id of project {@code acme}
     */
    public void sampleLoadBalancer(String projectId) throws IOException, InterruptedException {
        RestApi acme = project("acme");
        String project = "/v1/projects/" + projectId;
        JsonNode vip = acme.findOrCreate(
                project + "/vips", json.createObjectNode().put("name", "web").put("address", SAMPLE_ADDRESS));
        Optional<JsonNode> existing = acme.find(project + "/load-balancers", "web");
        JsonNode loadBalancer;
        if (existing.isPresent()) {
            loadBalancer = existing.get();
        } else {
            ObjectNode body = loadBalancer(operator());
            body.putArray("vip_ids").add(id(vip));
            loadBalancer = acme.post(project + "/load-balancers", body);
        }
        awaitObserved(acme, project + "/load-balancers/" + id(loadBalancer) + "/status");
    }

    /** A caller with the rights of a sample project's service account. */
    private RestApi project(String name) throws IOException, InterruptedException {
        Map<String, String> env = readEnv(name);
        String token = keycloak.clientToken(
                Objects.requireNonNull(env.get("WEIR_CLIENT_ID")),
                Objects.requireNonNull(env.get("WEIR_CLIENT_SECRET")));
        return new RestApi(http, api, token);
    }

    private RestApi operator() throws IOException, InterruptedException {
        return new RestApi(http, api, keycloak.operatorToken());
    }

    private void awaitObserved(RestApi acme, String status) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + LONGEST_ROLLOUT.toNanos();
        while (true) {
            JsonNode now = acme.get(status);
            if (now.required("observed_generation").longValue()
                    >= now.required("generation").longValue()) {
                return;
            }
            if (System.nanoTime() > deadline) {
                throw new IOException("the nodes do not run the sample load balancer: " + now);
            }
            Thread.sleep(50);
        }
    }

    private void grant(RestApi operator, String projectId, String username) throws IOException, InterruptedException {
        String grants = "/v1/projects/" + projectId + "/role-grants";
        boolean granted = operator.get(grants)
                .required("items")
                .valueStream()
                .anyMatch(grant -> username.equals(grant.path("username").stringValue("")));
        if (!granted) {
            operator.post(
                    grants, json.createObjectNode().put("username", username).put("role", "admin"));
        }
    }

    // The secret is told once, so an account whose exports are gone is made anew.
    private void serviceAccount(RestApi operator, String projectId, String name)
            throws IOException, InterruptedException {
        String accounts = "/v1/projects/" + projectId + "/service-accounts";
        Optional<JsonNode> existing = operator.find(accounts, "scripts");
        if (existing.isPresent()) {
            if (id(existing.get()).equals(readEnv(name).get("WEIR_SERVICE_ACCOUNT"))) {
                return;
            }
            operator.delete(accounts + "/" + id(existing.get()));
        }
        JsonNode made = operator.post(
                accounts, json.createObjectNode().put("name", "scripts").put("role", "admin"));
        writeEnv(
                name,
                made.required("client_secret").stringValue(),
                made.required("client_id").stringValue(),
                "export WEIR_PROJECT=" + projectId + "\nexport WEIR_SERVICE_ACCOUNT=" + id(made) + "\n");
    }

    private static ObjectNode pop(PopPlan plan) {
        ObjectNode pop = JsonMapper.shared().createObjectNode().put("name", plan.name());
        pop.putObject("labels").put("region", plan.number() % 2 == 1 ? "eu" : "us");
        return pop;
    }

    private static ObjectNode node(PopPlan pop, NodePlan plan) {
        ObjectNode node = JsonMapper.shared()
                .createObjectNode()
                .put("name", plan.name())
                .put("data_address", plan.dataAddress())
                .put("data_prefix_length", 24)
                .put("data_address_v6", plan.dataAddressV6())
                .put("data_prefix_length_v6", 64);
        ArrayNode routes = node.putArray("routes");
        routes.addObject().put("prefix", pop.membersPrefix()).put("next_hop", pop.membersLanAddress());
        routes.addObject().put("prefix", "0.0.0.0/0").put("next_hop", pop.routerLanAddress());
        routes.addObject().put("prefix", pop.membersPrefixV6()).put("next_hop", pop.membersLanAddressV6());
        routes.addObject().put("prefix", "::/0").put("next_hop", pop.routerLanAddressV6());
        node.putArray("snat_ranges").add(plan.snatRange()).add(plan.snatRangeV6());
        ArrayNode tunnelSources = node.putArray("tunnel_source_prefixes");
        plan.tunnelSources().forEach(tunnelSources::add);
        ObjectNode bgp = node.putObject("bgp").put("local_asn", pop.nodeAsn()).put("router_id", plan.controlAddress());
        ArrayNode peers = bgp.putArray("peers");
        peers.addObject()
                .put("name", "router")
                .put("address", pop.routerControlAddress())
                .put("asn", PopPlan.ROUTER_ASN)
                .put("role", "upstream");
        peers.addObject()
                .put("name", "members")
                .put("address", pop.membersControlAddress())
                .put("asn", PopPlan.MEMBERS_ASN)
                .put("role", "member_side");
        return node;
    }

    private ObjectNode loadBalancer(RestApi operator) throws IOException, InterruptedException {
        Map<Integer, String> popIds = new HashMap<>();
        for (PopPlan pop : shape.popPlans()) {
            popIds.put(pop.number(), id(operator.find("/v1/pops", pop.name()).orElseThrow()));
        }
        ObjectNode body = json.createObjectNode().put("name", "web").put("description", "Carries the sample traffic");
        body.putObject("placement").put("kind", "all");
        ArrayNode listeners = body.putArray("listeners");
        ObjectNode http =
                listeners.addObject().put("name", "http").put("protocol", "tcp").put("pool_name", "web");
        http.putArray("port_ranges").addObject().put("first", 80).put("last", 80);
        ObjectNode echo =
                listeners.addObject().put("name", "echo").put("protocol", "udp").put("pool_name", "echo");
        echo.putArray("port_ranges")
                .addObject()
                .put("first", BackendPlan.UDP_PORT)
                .put("last", BackendPlan.UDP_PORT);
        ArrayNode pools = body.putArray("pools");
        ObjectNode web =
                pools.addObject().put("name", "web").put("algorithm", "maglev").put("forwarding_mode", "dnat");
        web.putObject("health_monitor")
                .put("type", "tcp_connect")
                .put("interval_ms", 1000)
                .put("timeout_ms", 500)
                .put("rise", 2)
                .put("fall", 3);
        members(web.putArray("members"), popIds, Optional.of(BackendPlan.HTTP_PORT));
        ObjectNode udp = pools.addObject()
                .put("name", "echo")
                .put("algorithm", "round_robin")
                .put("forwarding_mode", "dnat");
        members(udp.putArray("members"), popIds, Optional.empty());
        return body;
    }

    private void members(ArrayNode members, Map<Integer, String> popIds, Optional<Integer> port) {
        for (BackendPlan backend : shape.backends()) {
            ObjectNode member = members.addObject().put("name", backend.name()).put("address", backend.address());
            if (port.isPresent()) {
                member.putObject("port").put("kind", "fixed").put("value", port.get());
            } else {
                member.putObject("port").put("kind", "keep");
            }
            member.putArray("pop_ids").add(Objects.requireNonNull(popIds.get(backend.pop())));
        }
    }

    private void writeEnv(String name, String secret, String clientId, String more) throws IOException {
        Files.createDirectories(envDirectory);
        Path file = envDirectory.resolve(name + ".sh");
        Files.deleteIfExists(file);
        Files.createFile(file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Files.writeString(
                file,
                "export WEIR_API=" + api + "\n"
                        + "export WEIR_ISSUER=" + keycloak.issuer() + "\n"
                        + "export WEIR_TOKEN_URL=" + keycloak.tokenUrl() + "\n"
                        + "export WEIR_CLIENT_ID=" + clientId + "\n"
                        + "export WEIR_CLIENT_SECRET=" + secret + "\n"
                        + more);
    }

    private Map<String, String> readEnv(String name) throws IOException {
        Path file = envDirectory.resolve(name + ".sh");
        Map<String, String> values = new HashMap<>();
        if (Files.exists(file)) {
            for (String line : Files.readAllLines(file)) {
                String[] parts = line.replaceFirst("^export ", "").split("=", 2);
                if (parts.length == 2) {
                    values.put(parts[0], parts[1]);
                }
            }
        }
        return values;
    }

    private static String id(JsonNode resource) {
        return resource.required("id").stringValue();
    }

    private static String title(String name) {
        return Character.toUpperCase(name.charAt(0)) + name.substring(1);
    }
}
