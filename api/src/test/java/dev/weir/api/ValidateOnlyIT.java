// SPDX-License-Identifier: Apache-2.0
package dev.weir.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.api.RunningApi.Answer;
import dev.weir.api.RunningApi.TestProject;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class ValidateOnlyIT {
    private static RunningApi api;
    private static TestProject acme;

    @BeforeAll
    static void start() {
        api = RunningApi.get();
        acme = api.project("validate", "10.57.0.0/24");
    }

    private static String tree(String name, String algorithm, String pop, int weight) {
        return """
                {"name": "%s", "placement": {"kind": "named", "pop_ids": ["%s"]},
                 "listeners": [{"name": "http", "protocol": "tcp", "port_ranges": [{"first": 80, "last": 80}],
                     "pool_name": "web"}],
                 "pools": [{"name": "web", "algorithm": "%s", "members": [
                     {"name": "one", "address": "10.57.0.1", "weight": %d},
                     {"name": "two", "address": "10.57.0.2"}]}]}""".formatted(name, pop, algorithm, weight);
    }

    private static String pop() {
        return RunningApi.created(api.post(
                        api.operatorToken(), "/v1/pops", "{\"name\": \"%s\"}".formatted(RunningApi.name("validate"))))
                .text("id");
    }

    private static Answer put(Answer web, String body, String query) {
        return api.call(
                acme.token(),
                "PUT",
                acme.path("/load-balancers/" + web.text("id") + "/tree" + query),
                body,
                Map.of("If-Match", "\"1\""));
    }

    @Test
    void treeTellsItsDiffNodesAndMovedFlowsAndChangesNothing() {
        String pop = pop();
        api.execute("""
                insert into nodes (pop_id, name, data_address, data_prefix_length, bgp_local_asn, bgp_router_id)
                values ('%s', 'node1', '10.98.0.1', 24, 64511, '10.98.1.1')""".formatted(pop.substring(4)));
        Answer web = RunningApi.created(
                api.post(acme.token(), acme.path("/load-balancers"), tree("diffed", "maglev", pop, 100)));

        Answer validated = put(web, tree("diffed", "maglev", pop, 0), "?validate_only=true");

        assertThat(validated.status()).isEqualTo(200);
        assertThat(validated.body().at("/validation/changes/0/path").asString())
                .isEqualTo("/pools/web/members/one/weight");
        assertThat(validated.body().at("/validation/nodes/0/node_name").asString())
                .isEqualTo("node1");
        // Half of the flows went to the member that leaves.
        assertThat(validated.body().at("/validation/pools/0/new_flows_moved").asDouble())
                .isBetween(0.48, 0.56);
        Answer read = api.get(acme.token(), acme.path("/load-balancers/" + web.text("id")));
        assertThat(read.body()).isEqualTo(web.body());
        assertThat(api.query("select count(*) from revisions where load_balancer_id = '%s'"
                        .formatted(web.text("id").substring(3))))
                .isEqualTo("1");
    }

    @Test
    void whereNoTableDecidesTheShareIsNullWithAReason() {
        String pop = pop();
        Answer web = RunningApi.created(
                api.post(acme.token(), acme.path("/load-balancers"), tree("robin", "round_robin", pop, 100)));

        Answer validated = put(web, tree("robin", "round_robin", pop, 0), "?validate_only=true");

        assertThat(validated.body().at("/validation/pools/0/new_flows_moved").isNull())
                .isTrue();
        assertThat(validated.body().at("/validation/pools/0/reason").asString()).contains("round_robin");
    }

    @Test
    void creationIsCheckedLikeAnyOther() {
        String pop = pop();
        String body = tree("never", "maglev", pop, 100);

        Answer fine = api.post(acme.token(), acme.path("/load-balancers?validate_only=true"), body);
        Answer refused =
                api.post(acme.token(), acme.path("/load-balancers?validate_only=true"), body.replace("10.57", "192.0"));
        RunningApi.created(api.post(acme.token(), acme.path("/load-balancers"), body));
        Answer taken = api.post(acme.token(), acme.path("/load-balancers?validate_only=true"), body);

        assertThat(fine.status()).isEqualTo(200);
        assertThat(fine.body().at("/validation/changes").size()).isPositive();
        assertThat(refused.status()).isEqualTo(422);
        assertThat(taken.text("code")).isEqualTo("NAME_TAKEN");
    }

    @Test
    void vipThatIsOnlyValidatedIsNotReserved() {
        String pool = "{\"address_pool_id\": \"%s\"}".formatted(api.addressPool());

        Answer validated = api.post(acme.token(), acme.path("/vips?validate_only=true"), pool);
        Answer reserved = api.post(acme.token(), acme.path("/vips"), pool);

        assertThat(validated.status()).isEqualTo(200);
        assertThat(reserved.text("address")).isEqualTo(validated.text("address"));
        assertThat(api.get(acme.token(), acme.path("/vips/" + validated.text("id")))
                        .status())
                .isEqualTo(404);
    }
}
