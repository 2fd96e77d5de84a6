// SPDX-License-Identifier: Apache-2.0
package dev.weir.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.api.RunningApi.Answer;
import dev.weir.api.RunningApi.TestProject;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class VipIT {
    private static RunningApi api;
    private static TestProject acme;

    @BeforeAll
    static void start() {
        api = RunningApi.get();
        acme = api.project("vip", "10.50.0.0/24");
    }

    private static Answer loadBalancer(String name) {
        return RunningApi.created(api.post(acme.token(), acme.path("/load-balancers"), """
                {"name": "%s",
                 "listeners": [{"name": "http", "protocol": "tcp", "port_ranges": [{"first": 80, "last": 80}],
                     "pool_name": "web"}],
                 "pools": [{"name": "web", "members": [{"address": "10.50.0.1"}]}]}""".formatted(name)));
    }

    private static long generation(Answer loadBalancer) {
        return api.get(acme.token(), acme.path("/load-balancers/" + loadBalancer.text("id")))
                .body()
                .path("generation")
                .asLong();
    }

    @Test
    void anyOrAWishedAddressIsReserved() {
        String pool = api.addressPool();

        Answer any = api.post(acme.token(), acme.path("/vips"), "{\"address_pool_id\": \"%s\"}".formatted(pool));
        String wish = any.text("address").replaceAll("\\.1$", ".7");
        Answer wished = api.post(acme.token(), acme.path("/vips"), "{\"address\": \"%s\"}".formatted(wish));
        Answer again = api.post(acme.token(), acme.path("/vips"), "{\"address\": \"%s\"}".formatted(wish));

        assertThat(any.status()).isEqualTo(201);
        assertThat(any.text("address")).endsWith(".1");
        assertThat(any.body().path("load_balancer_id").isNull()).isTrue();
        assertThat(wished.text("address")).isEqualTo(wish);
        assertThat(again.status()).isEqualTo(409);
        assertThat(again.pointers()).containsExactly("/address");
    }

    @Test
    void releasedAddressIsKeptForItsProject() {
        String pool = api.addressPool();
        Answer vip = RunningApi.created(
                api.post(acme.token(), acme.path("/vips"), "{\"address_pool_id\": \"%s\"}".formatted(pool)));

        Answer deleted = api.delete(acme.token(), acme.path("/vips/" + vip.text("id")));
        TestProject globex = api.project("vip-other", "10.51.0.0/24");
        String wish = "{\"address\": \"%s\"}".formatted(vip.text("address"));
        Answer foreign = api.post(globex.token(), globex.path("/vips"), wish);
        Answer own = api.post(acme.token(), acme.path("/vips"), wish);

        assertThat(deleted.status()).isEqualTo(204);
        assertThat(foreign.status()).isEqualTo(409);
        assertThat(foreign.text("code")).isEqualTo("ADDRESS_NOT_AVAILABLE");
        assertThat(own.status()).isEqualTo(201);
    }

    @Test
    void attachingRaisesTheGenerationWithoutARevision() {
        Answer web = loadBalancer("attach");
        String pool = api.addressPool();
        Answer vip = RunningApi.created(
                api.post(acme.token(), acme.path("/vips"), "{\"address_pool_id\": \"%s\"}".formatted(pool)));

        Answer attached = api.patch(
                acme.token(),
                acme.path("/vips/" + vip.text("id")),
                "{\"load_balancer_id\": \"%s\"}".formatted(web.text("id")));

        assertThat(attached.status()).isEqualTo(200);
        assertThat(attached.header("etag")).isEqualTo("\"2\"");
        assertThat(generation(web)).isEqualTo(2);
        Answer revisions = api.get(acme.token(), acme.path("/load-balancers/" + web.text("id") + "/revisions"));
        assertThat(revisions.body().path("items").size()).isEqualTo(1);
    }

    @Test
    void movingTakesTheVipFromTheOtherLoadBalancerWithAHigherClaim() {
        Answer from = loadBalancer("from");
        Answer to = loadBalancer("to");
        String pool = api.addressPool();
        Answer vip =
                RunningApi.created(api.post(acme.token(), acme.path("/vips"), """
                {"address_pool_id": "%s", "load_balancer_id": "%s"}""".formatted(pool, from.text("id"))));
        long claim = api.get(acme.token(), acme.path("/load-balancers/" + from.text("id")))
                .body()
                .at("/vips/0/claim_sequence")
                .asLong();

        api.patch(
                acme.token(),
                acme.path("/vips/" + vip.text("id")),
                "{\"load_balancer_id\": \"%s\"}".formatted(to.text("id")));

        Answer now = api.get(acme.token(), acme.path("/load-balancers/" + to.text("id")));
        assertThat(now.body().at("/vips/0/claim_sequence").asLong()).isGreaterThan(claim);
        assertThat(generation(from)).isEqualTo(3);
        assertThat(api.get(acme.token(), acme.path("/load-balancers/" + from.text("id")))
                        .body()
                        .path("vips")
                        .size())
                .isZero();
    }

    @Test
    void deletingTheLoadBalancerKeepsTheVip() {
        Answer web = loadBalancer("short");
        String pool = api.addressPool();
        Answer vip =
                RunningApi.created(api.post(acme.token(), acme.path("/vips"), """
                {"address_pool_id": "%s", "load_balancer_id": "%s"}""".formatted(pool, web.text("id"))));

        api.delete(acme.token(), acme.path("/load-balancers/" + web.text("id")));

        Answer read = api.get(acme.token(), acme.path("/vips/" + vip.text("id")));
        assertThat(read.body().path("load_balancer_id").isNull()).isTrue();
        assertThat(read.text("address")).isEqualTo(vip.text("address"));
    }

    @Test
    void dnatMembersServeOneVipPortOnly() {
        String pool = api.addressPool();
        String body = """
                {"name": "%s", "vip_ids": ["%s"],
                 "listeners": [{"name": "http", "protocol": "tcp", "port_ranges": [{"first": 80, "last": 80}],
                     "pool_name": "web"}],
                 "pools": [{"name": "web", "forwarding_mode": "dnat", "members": [
                     {"address": "10.50.0.9", "pop_ids": ["%s"]}]}]}""";
        String pop = RunningApi.created(api.post(
                        api.operatorToken(), "/v1/pops", "{\"name\": \"%s\"}".formatted(RunningApi.name("pop"))))
                .text("id");
        String first = vip(pool);
        String second = vip(pool);
        RunningApi.created(
                api.post(acme.token(), acme.path("/load-balancers"), body.formatted("first-dnat", first, pop)));

        Answer ambiguous =
                api.post(acme.token(), acme.path("/load-balancers"), body.formatted("second-dnat", second, pop));

        assertThat(ambiguous.status()).isEqualTo(422);
        assertThat(ambiguous.body().at("/errors/0/code").asString()).isEqualTo("DNAT_REVERSE_AMBIGUOUS");
        assertThat(ambiguous.pointers()).containsExactly("/pools/0/members/0");
    }

    private static String vip(String pool) {
        return RunningApi.created(
                        api.post(acme.token(), acme.path("/vips"), "{\"address_pool_id\": \"%s\"}".formatted(pool)))
                .text("id");
    }

    @Test
    void staleTagIsRefused() {
        String pool = api.addressPool();
        String id = vip(pool);

        Answer stale = api.call(
                acme.token(),
                "PATCH",
                acme.path("/vips/" + id),
                "{\"name\": \"renamed\"}",
                Map.of("If-Match", "\"5\""));

        assertThat(stale.status()).isEqualTo(412);
    }
}
