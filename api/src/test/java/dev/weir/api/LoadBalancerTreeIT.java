// SPDX-License-Identifier: Apache-2.0
package dev.weir.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.api.RunningApi.Answer;
import dev.weir.api.RunningApi.TestProject;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class LoadBalancerTreeIT {
    private static final String TREE = """
            "name": "%s",
            "listeners": [
                {"name": "http", "protocol": "tcp", "port_ranges": [{"first": 80, "last": 80}], "pool_name": "web"},
                {"name": "echo", "protocol": "udp", "port_ranges": [{"first": 7000, "last": 7000}], "pool_name": "echo"}],
            "pools": [
                {"name": "web", "health_monitor": {"type": "tcp_connect"}, "members": [
                    {"name": "one", "address": "10.50.0.1", "port": {"kind": "fixed", "value": 8080}},
                    {"name": "two", "address": "10.50.0.2", "port": {"kind": "fixed", "value": 8080}}]},
                {"name": "echo", "members": [{"address": "10.50.0.1"}]}]""";

    private static RunningApi api;
    private static TestProject acme;

    @BeforeAll
    static void start() {
        api = RunningApi.get();
        acme = api.project("tree", "10.50.0.0/24");
    }

    private static Answer create(String name) {
        return RunningApi.created(
                api.post(acme.token(), acme.path("/load-balancers"), "{" + TREE.formatted(name) + "}"));
    }

    private static String path(Answer loadBalancer) {
        return acme.path("/load-balancers/" + loadBalancer.text("id"));
    }

    @Test
    void createdTreeIsReadBackWithDefaultsAndIds() {
        Answer created = create("read-back");

        Answer read = api.get(acme.token(), path(created));

        assertThat(read.status()).isEqualTo(200);
        assertThat(read.body()).isEqualTo(created.body());
        assertThat(read.header("etag")).isEqualTo("\"1\"");
        assertThat(created.header("location")).isEqualTo(path(created));
        assertThat(read.body().at("/listeners/1/name").asString()).isEqualTo("http");
        assertThat(read.body().at("/listeners/1/idle_timeout_s").asInt()).isEqualTo(3600);
        assertThat(read.body().at("/listeners/1/pool_name").asString()).isEqualTo("web");
        assertThat(read.body().at("/pools/1/algorithm").asString()).isEqualTo("maglev");
        assertThat(read.body().at("/pools/1/members/0/id").asString()).startsWith("mbr_");
        assertThat(read.body().at("/placement/kind").asString()).isEqualTo("all");
    }

    @Test
    void writeMakesRowRevisionAndOutboxTogether() {
        Answer created = create("together");
        String uuid = created.text("id").substring(3);

        assertThat(api.query("select count(*) from revisions where load_balancer_id = '%s' and generation = 1"
                        .formatted(uuid)))
                .isEqualTo("1");
        assertThat(api.query("select kind || generation from outbox where key = '%s'".formatted(uuid)))
                .isEqualTo("load_balancer1");
        assertThat(api.query(
                        "select count(*) from members m join pools p on p.id = m.pool_id where load_balancer_id = '%s'"
                                .formatted(uuid)))
                .isEqualTo("3");
    }

    @Test
    void replacingTheTreeNeedsTheCurrentTag() {
        Answer created = create("tagged");
        String body = "{" + TREE.formatted("tagged").replace("10.50.0.2", "10.50.0.3") + "}";

        Answer without = api.call(acme.token(), "PUT", path(created) + "/tree", body, Map.of());
        Answer stale = api.call(acme.token(), "PUT", path(created) + "/tree", body, Map.of("If-Match", "\"9\""));
        Answer current = api.call(acme.token(), "PUT", path(created) + "/tree", body, Map.of("If-Match", "\"1\""));

        assertThat(without.status()).isEqualTo(428);
        assertThat(stale.status()).isEqualTo(412);
        assertThat(current.status()).isEqualTo(200);
        assertThat(current.body().path("generation").asLong()).isEqualTo(2);
        assertThat(current.header("etag")).isEqualTo("\"2\"");
    }

    @Test
    void treeThatChangesNothingMakesNoRevision() {
        Answer created = create("same");
        String body = "{" + TREE.formatted("same") + "}";

        Answer put = api.call(acme.token(), "PUT", path(created) + "/tree", body, Map.of("If-Match", "\"1\""));

        assertThat(put.status()).isEqualTo(200);
        assertThat(put.body()).isEqualTo(created.body());
    }

    @Test
    void partsKeepTheirIdsWhenTheTreeIsReplaced() {
        Answer created = create("kept");
        String body =
                "{" + TREE.formatted("kept").replace("\"name\": \"two\",", "\"name\": \"two\", \"weight\": 0,") + "}";

        Answer put = api.call(acme.token(), "PUT", path(created) + "/tree", body, Map.of("If-Match", "\"1\""));

        assertThat(put.body().at("/pools/1/members/1/weight").asInt()).isZero();
        assertThat(put.body().at("/pools/1/members/1/id"))
                .isEqualTo(created.body().at("/pools/1/members/1/id"));
        assertThat(put.body().at("/listeners/0/id")).isEqualTo(created.body().at("/listeners/0/id"));
        Answer revisions = api.get(acme.token(), path(created) + "/revisions");
        assertThat(revisions.body().at("/items/0/summary").asString()).isEqualTo("pool web: member two weight 100 → 0");
    }

    @Test
    void malformedBodyIsRefusedWithAPointerToEveryFault() {
        Answer answer = api.post(acme.token(), acme.path("/load-balancers"), """
                {"name": "Bad Name", "colour": "red",
                 "listeners": [{"name": "http", "protocol": "sctp", "port_ranges": [{"first": 0, "last": "x"}]}],
                 "pools": [{"name": "web", "members": [{"address": "10.50.0.1", "weight": 257}, {}]}]}""");

        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.header("content-type")).isEqualTo("application/problem+json");
        assertThat(answer.text("code")).isEqualTo("INVALID_BODY");
        assertThat(answer.pointers())
                .containsExactlyInAnyOrder(
                        "/name",
                        "/colour",
                        "/listeners/0/protocol",
                        "/listeners/0/port_ranges/0/first",
                        "/listeners/0/port_ranges/0/last",
                        "/pools/0/members/0/weight",
                        "/pools/0/members/1/address");
    }

    @Test
    void refusedSpecNamesEveryFault() {
        Answer answer = api.post(acme.token(), acme.path("/load-balancers"), """
                {"name": "refused",
                 "listeners": [
                    {"name": "a", "protocol": "tcp", "port_ranges": [{"first": 80, "last": 90}], "pool_name": "web"},
                    {"name": "b", "protocol": "tcp", "port_ranges": [{"first": 85, "last": 85}], "pool_name": "none"}],
                 "pools": [{"name": "web", "members": [
                    {"address": "10.50.0.1"}, {"address": "127.0.0.1"}, {"address": "192.0.2.7"},
                    {"address": "10.50.0.400"}, {"address": "10.50.0.1"}]}]}""");

        assertThat(answer.status()).isEqualTo(422);
        assertThat(answer.text("code")).isEqualTo("SPEC_REFUSED");
        assertThat(answer.pointers())
                .containsExactlyInAnyOrder(
                        "/listeners/1/port_ranges/0",
                        "/listeners/1/pool_name",
                        "/pools/0/members/1/address",
                        "/pools/0/members/2/address",
                        "/pools/0/members/3/address",
                        "/pools/0/members/4");
    }

    @Test
    void tunnelsLimitsResetsAndUdpProbesAreReadBackAsTheyWereWritten() {
        Answer created = RunningApi.created(api.post(acme.token(), acme.path("/load-balancers"), """
                {"name": "features",
                 "listeners": [
                    {"name": "dns", "protocol": "udp", "port_ranges": [{"first": 53, "last": 53}], "pool_name": "gue",
                     "flow_tracking": "stateless"},
                    {"name": "web", "protocol": "tcp", "port_ranges": [{"first": 80, "last": 80}], "pool_name": "nat",
                     "reset_on_idle_timeout": true, "limits": {"new_flows_per_s": 100}}],
                 "pools": [
                    {"name": "gue", "forwarding_mode": "tunnel", "tunnel_encapsulation": "gue",
                     "health_monitor": {"type": "udp", "udp_send": "cGluZw==", "udp_expect": "cG9uZw=="},
                     "members": [{"address": "10.50.0.1"}]},
                    {"name": "ipip", "forwarding_mode": "tunnel", "members": []},
                    {"name": "nat", "members": [{"address": "10.50.0.2"}]}]}"""));

        Answer read = api.get(acme.token(), path(created));

        assertThat(read.body().at("/listeners/0/flow_tracking").asString()).isEqualTo("stateless");
        assertThat(read.body().at("/listeners/0/limits").isMissingNode()).isTrue();
        assertThat(read.body().at("/listeners/1/reset_on_idle_timeout").asBoolean())
                .isTrue();
        assertThat(read.body().at("/listeners/1/limits/new_flows_per_s").asLong())
                .isEqualTo(100);
        assertThat(read.body().at("/listeners/1/limits/active_flows").asLong(-1))
                .isZero();
        assertThat(read.body().at("/pools/0/tunnel_port").asInt()).isEqualTo(6080);
        assertThat(read.body().at("/pools/0/health_monitor/udp_send").asString())
                .isEqualTo("cGluZw==");
        assertThat(read.body().at("/pools/1/tunnel_encapsulation").asString()).isEqualTo("ipip");
        assertThat(read.body().at("/pools/2/tunnel_encapsulation").isMissingNode())
                .isTrue();
        assertThat(api.query("select tunnel_port from pools where tunnel_encapsulation = 'gue'"))
                .isEqualTo("6080");
        assertThat(api.query(
                        "select convert_from(udp_expect, 'UTF8') from health_monitors where udp_expect is not null"))
                .isEqualTo("pong");
    }

    @Test
    void memberChangesByItself() {
        Answer created = create("member");
        String members =
                path(created) + "/pools/" + created.body().at("/pools/1/id").asString() + "/members";
        String one = created.body().at("/pools/1/members/0/id").asString();

        Answer patched = api.patch(acme.token(), members + "/" + one, """
                {"weight": 0}""");
        Answer added = api.post(acme.token(), members, """
                {"name": "three", "address": "10.50.0.3"}""");
        Answer refused = api.post(acme.token(), members, """
                {"address": "169.254.1.1"}""");
        Answer removed = api.delete(acme.token(), members + "/" + one);

        assertThat(patched.body().path("weight").asInt()).isZero();
        assertThat(patched.header("etag")).isNotEqualTo(created.header("etag"));
        assertThat(added.status()).isEqualTo(201);
        assertThat(refused.status()).isEqualTo(422);
        assertThat(refused.pointers()).containsExactly("/address");
        assertThat(removed.status()).isEqualTo(204);
        assertThat(api.get(acme.token(), members + "/" + one).status()).isEqualTo(404);
        Answer read = api.get(acme.token(), path(created));
        assertThat(read.body().path("generation").asLong()).isEqualTo(4);
    }

    @Test
    void deletedLoadBalancerIsGoneAndItsNameFree() {
        Answer created = create("gone");

        Answer deleted = api.delete(acme.token(), path(created));

        assertThat(deleted.status()).isEqualTo(204);
        assertThat(api.get(acme.token(), path(created)).status()).isEqualTo(404);
        assertThat(create("gone").status()).isEqualTo(201);
        assertThat(api.query("select max(generation) from outbox where key = '%s'"
                        .formatted(created.text("id").substring(3))))
                .isEqualTo("2");
    }

    @Test
    void takenNameIsAConflict() {
        create("taken");

        Answer again = api.post(acme.token(), acme.path("/load-balancers"), "{" + TREE.formatted("taken") + "}");

        assertThat(again.status()).isEqualTo(409);
        assertThat(again.text("code")).isEqualTo("NAME_TAKEN");
        assertThat(again.pointers()).containsExactly("/name");
    }
}
