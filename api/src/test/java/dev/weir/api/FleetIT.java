// SPDX-License-Identifier: Apache-2.0
package dev.weir.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.api.RunningApi.Answer;
import dev.weir.api.RunningApi.TestProject;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** PoPs and nodes that are changed, drained, fenced and deleted. */
class FleetIT {
    private static RunningApi api;
    private static String operator;

    @BeforeAll
    static void start() {
        api = RunningApi.get();
        operator = api.operatorToken();
    }

    private static Answer pop() {
        return RunningApi.created(
                api.post(operator, "/v1/pops", "{\"name\": \"%s\"}".formatted(RunningApi.name("fleet"))));
    }

    private static Answer node(Answer pop) {
        return RunningApi.created(api.post(operator, "/v1/pops/" + pop.text("id") + "/nodes", """
                {"name": "node1", "data_address": "10.97.0.11", "data_prefix_length": 24,
                 "bgp": {"local_asn": 64511, "router_id": "10.97.1.11", "peers": []}}"""));
    }

    private static String path(Answer node) {
        return "/v1/pops/" + node.text("pop_id") + "/nodes/" + node.text("id");
    }

    @Test
    void popIsLabelledAndDrainedUnderANewGeneration() {
        String path = "/v1/pops/" + pop().text("id");
        String tag = api.get(operator, path).header("etag");

        Answer changed = api.call(
                operator,
                "PATCH",
                path,
                "{\"labels\": {\"region\": \"eu\"}, \"drained\": true}",
                Map.of("If-Match", tag));
        Answer stale = api.call(operator, "PATCH", path, "{\"drained\": false}", Map.of("If-Match", tag));

        assertThat(changed.status()).isEqualTo(200);
        assertThat(changed.body().at("/labels/region").asString()).isEqualTo("eu");
        assertThat(changed.body().path("drained").asBoolean()).isTrue();
        assertThat(changed.header("etag")).isEqualTo("\"2\"");
        assertThat(stale.status()).isEqualTo(412);
        assertThat(api.query("select max(generation) from outbox where key = '%s'"
                        .formatted(changed.text("id").substring(4))))
                .isEqualTo("2");
    }

    @Test
    void nodeIsDrainedFencedAndDeleted() {
        Answer node = node(pop());

        Answer drained = api.patch(operator, path(node), "{\"drained\": true, \"labels\": {\"rack\": \"r7\"}}");
        Answer fenced = api.patch(operator, path(node), "{\"fenced\": true}");
        Answer back = api.patch(operator, path(node), "{\"fenced\": false}");
        Answer deleted = api.delete(operator, path(node));

        assertThat(drained.body().path("drained").asBoolean()).isTrue();
        assertThat(drained.body().at("/labels/rack").asString()).isEqualTo("r7");
        assertThat(fenced.body().path("fenced").asBoolean()).isTrue();
        assertThat(fenced.body().path("drained").asBoolean()).isTrue();
        assertThat(back.body().path("fenced").asBoolean()).isFalse();
        assertThat(back.header("etag")).isEqualTo("\"4\"");
        assertThat(deleted.status()).isEqualTo(204);
        assertThat(api.get(operator, path(node)).status()).isEqualTo(404);
        assertThat(api.query("select kind from outbox where generation = 5 and key = '%s'"
                        .formatted(node.text("id").substring(5))))
                .isEqualTo("node");
    }

    @Test
    void whatIsOnlyValidatedChangesNothing() {
        Answer node = node(pop());
        String pop = "/v1/pops/" + node.text("pop_id");
        String name = RunningApi.name("only");

        Answer newPop = api.post(operator, "/v1/pops?validate_only=true", "{\"name\": \"%s\"}".formatted(name));
        Answer drainedPop = api.patch(operator, pop + "?validate_only=true", "{\"drained\": true}");
        Answer newNode = api.post(operator, pop + "/nodes?validate_only=true", """
                {"name": "node2", "data_address": "10.97.0.12", "data_prefix_length": 24,
                 "bgp": {"local_asn": 64511, "router_id": "10.97.1.12", "peers": []}}""");
        Answer taken = api.post(operator, pop + "/nodes?validate_only=true", """
                {"name": "node1", "data_address": "10.97.0.13", "data_prefix_length": 24,
                 "bgp": {"local_asn": 64511, "router_id": "10.97.1.13", "peers": []}}""");
        Answer drainedNode = api.patch(operator, path(node) + "?validate_only=true", "{\"drained\": true}");

        assertThat(newPop.status()).isEqualTo(200);
        assertThat(api.get(operator, "/v1/pops?name=" + name)
                        .body()
                        .path("items")
                        .size())
                .isZero();
        assertThat(drainedPop.status()).isEqualTo(200);
        assertThat(drainedPop.body().path("drained").asBoolean()).isTrue();
        assertThat(api.get(operator, pop).body().path("drained").asBoolean()).isFalse();
        assertThat(newNode.status()).isEqualTo(200);
        assertThat(newNode.text("name")).isEqualTo("node2");
        assertThat(taken.status()).isEqualTo(409);
        assertThat(drainedNode.body().path("drained").asBoolean()).isTrue();
        assertThat(api.get(operator, path(node)).body().path("drained").asBoolean())
                .isFalse();
        assertThat(api.get(operator, pop + "/nodes").body().path("items").size())
                .isEqualTo(1);
        assertThat(api.query("select max(generation) from outbox where key = '%s'"
                        .formatted(node.text("id").substring(5))))
                .isEqualTo("1");
    }

    @Test
    void popInUseNamesItsNodesAndLoadBalancers() {
        Answer pop = pop();
        Answer node = node(pop);
        TestProject project = api.project("fleet", "10.58.0.0/24");
        Answer web = RunningApi.created(
                api.post(project.token(), project.path("/load-balancers"), """
                {"name": "placed", "placement": {"kind": "named", "pop_ids": ["%s"]}, "listeners": [], "pools": []}""".formatted(pop.text("id"))));

        Answer inUse = api.delete(operator, "/v1/pops/" + pop.text("id"));
        api.delete(operator, path(node));
        api.delete(project.token(), project.path("/load-balancers/" + web.text("id")));
        Answer deleted = api.delete(operator, "/v1/pops/" + pop.text("id"));

        assertThat(inUse.text("code")).isEqualTo("RESOURCE_IN_USE");
        assertThat(inUse.body().path("errors").toString()).contains(node.text("id"), web.text("id"));
        assertThat(deleted.status()).isEqualTo(204);
    }

    @Test
    void tenantsChangeNothingOfTheFleet() {
        Answer pop = pop();
        TestProject project = api.project("fleet-tenant", "10.58.0.0/24");

        assertThat(api.patch(project.token(), "/v1/pops/" + pop.text("id"), "{\"drained\": true}")
                        .status())
                .isEqualTo(403);
        assertThat(api.delete(project.token(), "/v1/pops/" + pop.text("id")).status())
                .isEqualTo(403);
    }
}
