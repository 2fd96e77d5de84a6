// SPDX-License-Identifier: Apache-2.0
package dev.weir.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.api.RunningApi.Answer;
import dev.weir.api.RunningApi.TestProject;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Globex attacks acme with every id that it could have learned. */
class TenantIsolationIT {
    private static final String TREE = """
            {"name": "%s",
             "listeners": [{"name": "http", "protocol": "tcp", "port_ranges": [{"first": 80, "last": 80}], "pool_name": "web"}],
             "pools": [{"name": "web", "members": [{"address": "10.50.0.1"}]}]%s}""";

    private static RunningApi api;
    private static TestProject acme;
    private static TestProject globex;
    private static Answer target;
    private static String vip;

    @BeforeAll
    static void start() {
        api = RunningApi.get();
        acme = api.project("acme", "10.50.0.0/24");
        globex = api.project("globex", "10.50.0.0/24");
        String pool = api.addressPool();
        vip = RunningApi.created(api.post(acme.token(), acme.path("/vips"), """
                {"name": "www", "address_pool_id": "%s"}""".formatted(pool)))
                .text("id");
        target = RunningApi.created(api.post(
                acme.token(), acme.path("/load-balancers"), TREE.formatted("web", ", \"vip_ids\": [\"" + vip + "\"]")));
    }

    private static String id(String pointer) {
        return target.body().at(pointer).asString();
    }

    @Test
    void nothingOfAForeignProjectCanBeReached() {
        String lb = "/load-balancers/" + id("/id");
        String member = lb + "/pools/" + id("/pools/0/id") + "/members/" + id("/pools/0/members/0/id");
        List<String> paths = List.of(
                "",
                "/vips",
                "/vips/" + vip,
                "/load-balancers",
                lb,
                lb + "/status",
                lb + "/rollout",
                lb + "/metrics",
                lb + "/revisions",
                member,
                "/role-grants",
                "/service-accounts");

        for (String path : paths) {
            // By the owner's project, and by the attacker's own.
            assertThat(api.get(globex.token(), acme.path(path)).status())
                    .as(path)
                    .isEqualTo(404);
            if (path.contains("_")) {
                assertThat(api.get(globex.token(), globex.path(path)).status())
                        .as(path)
                        .isEqualTo(404);
            }
        }
    }

    @Test
    void nothingOfAForeignProjectCanBeChanged() {
        String lb = "/load-balancers/" + id("/id");
        String member = lb + "/pools/" + id("/pools/0/id") + "/members/" + id("/pools/0/members/0/id");
        for (TestProject by : List.of(acme, globex)) {
            assertThat(api.delete(globex.token(), by.path(lb)).status()).isEqualTo(404);
            assertThat(api.delete(globex.token(), by.path("/vips/" + vip)).status())
                    .isEqualTo(404);
            assertThat(api.patch(globex.token(), by.path("/vips/" + vip), "{\"load_balancer_id\": null}")
                            .status())
                    .isEqualTo(404);
            assertThat(api.patch(globex.token(), by.path(lb), "{\"enabled\": false}")
                            .status())
                    .isEqualTo(404);
            assertThat(api.patch(globex.token(), by.path(member), "{\"weight\": 0}")
                            .status())
                    .isEqualTo(404);
            assertThat(api.call(
                                    globex.token(),
                                    "PUT",
                                    by.path(lb + "/tree"),
                                    TREE.formatted("web", ""),
                                    Map.of("If-Match", "\"1\""))
                            .status())
                    .isEqualTo(404);
        }

        Answer now = api.get(acme.token(), acme.path(lb));

        assertThat(now.body()).isEqualTo(target.body());
    }

    @Test
    void foreignIdsInBodiesAreUnknown() {
        Answer byVip = api.post(
                globex.token(),
                globex.path("/load-balancers"),
                TREE.formatted("steal", ", \"vip_ids\": [\"" + vip + "\"]"));
        Answer byLoadBalancer =
                api.post(globex.token(), globex.path("/vips"), "{\"load_balancer_id\": \"%s\"}".formatted(id("/id")));
        Answer byPool = api.post(globex.token(), globex.path("/load-balancers"), """
                {"name": "steal",
                 "listeners": [{"name": "http", "protocol": "tcp", "port_ranges": [{"first": 80, "last": 80}],
                     "pool_id": "%s"}],
                 "pools": [{"id": "%s", "name": "web", "members": [{"id": "%s", "address": "10.50.0.1"}]}]}""".formatted(
                        id("/pools/0/id"), id("/pools/0/id"), id("/pools/0/members/0/id")));

        assertThat(byVip.status()).isEqualTo(422);
        assertThat(byVip.pointers()).containsExactly("/vip_ids/0");
        assertThat(byLoadBalancer.status()).isEqualTo(422);
        assertThat(byLoadBalancer.pointers()).containsExactly("/load_balancer_id");
        assertThat(byPool.status()).isEqualTo(422);
        assertThat(byPool.pointers())
                .containsExactlyInAnyOrder("/pools/0/id", "/pools/0/members/0/id", "/listeners/0/pool_id");
    }

    @Test
    void aForeignAddressAnswersAsATakenOne() {
        String address = api.get(acme.token(), acme.path("/vips/" + vip)).text("address");

        Answer foreign = api.post(globex.token(), globex.path("/vips"), "{\"address\": \"%s\"}".formatted(address));
        Answer nowhere = api.post(globex.token(), globex.path("/vips"), "{\"address\": \"198.51.100.200\"}");

        assertThat(foreign.status()).isEqualTo(409);
        assertThat(nowhere.status()).isEqualTo(409);
        assertThat(foreign.text("code")).isEqualTo(nowhere.text("code"));
    }

    @Test
    void listsShowOnlyTheOwnProject() {
        Answer projects = api.get(globex.token(), "/v1/projects");
        Answer loadBalancers = api.get(globex.token(), globex.path("/load-balancers"));

        assertThat(projects.body().path("items").size()).isEqualTo(1);
        assertThat(projects.body().at("/items/0/id").asString()).isEqualTo(globex.projectId());
        assertThat(loadBalancers.body().path("items").size()).isZero();
    }

    @Test
    void tenantsReachNothingOfTheFleet() {
        for (String path : List.of("/v1/tenants", "/v1/address-pools", "/v1/tenants/" + acme.tenantId())) {
            assertThat(api.get(globex.token(), path).status()).as(path).isEqualTo(403);
        }
        assertThat(api.post(globex.token(), "/v1/pops", "{\"name\": \"mine\"}").status())
                .isEqualTo(403);
        assertThat(api.post(
                                globex.token(),
                                "/v1/address-pools",
                                "{\"name\": \"mine\", \"prefixes\": [\"10.0.0.0/24\"]}")
                        .status())
                .isEqualTo(403);
    }
}
