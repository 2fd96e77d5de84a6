// SPDX-License-Identifier: Apache-2.0
package dev.weir.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.api.RunningApi.Answer;
import dev.weir.api.RunningApi.TestProject;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Addresses of either family: how they are reserved, released, taken back and handed on. */
class AddressLifeIT {
    private static RunningApi api;
    private static TestProject acme;
    private static TestProject globex;

    @BeforeAll
    static void start() {
        api = RunningApi.get();
        acme = api.project("life-acme", "10.52.0.0/24", "2001:db8:52::/64");
        globex = api.project("life-globex", "10.52.0.0/24");
    }

    private static String pool(String prefix) {
        return RunningApi.created(api.post(
                        api.operatorToken(), "/v1/address-pools", """
                {"name": "%s", "prefixes": ["%s"]}""".formatted(RunningApi.name("life"), prefix)))
                .text("id");
    }

    private static Answer reserve(TestProject project, String body) {
        return api.post(project.token(), project.path("/vips"), body);
    }

    private static String fromPool(String pool) {
        return "{\"address_pool_id\": \"%s\"}".formatted(pool);
    }

    private static String wish(String address) {
        return "{\"address\": \"%s\"}".formatted(address);
    }

    private static void release(TestProject project, Answer vip) {
        assertThat(api.delete(project.token(), project.path("/vips/" + vip.text("id")))
                        .status())
                .isEqualTo(204);
    }

    @Test
    void ipv6AddressesAreReservedLikeIpv4() {
        String pool = pool("2001:db8:100::/48");

        Answer any = reserve(acme, fromPool(pool));
        Answer second = reserve(acme, fromPool(pool));
        Answer wished = reserve(acme, wish("2001:DB8:100:0:0:0:0:abcd"));

        assertThat(any.text("address")).isEqualTo("2001:db8:100::1");
        assertThat(second.text("address")).isEqualTo("2001:db8:100::2");
        assertThat(wished.text("address")).isEqualTo("2001:db8:100::abcd");
        assertThat(reserve(globex, wish("2001:db8:100::1")).status()).isEqualTo(409);
    }

    @Test
    void familyChoosesAmongPools() {
        pool("2001:db8:101::/64");
        api.addressPool();

        Answer six = reserve(acme, "{\"address_family\": \"ipv6\"}");
        Answer byDefault = reserve(acme, "{}");

        assertThat(six.text("address")).contains(":");
        assertThat(byDefault.text("address")).doesNotContain(":");
    }

    @Test
    void loadBalancerServesVipsOfBothFamiliesOnceItsPoolHasMembersOfBoth() {
        String four = reserve(acme, fromPool(api.addressPool())).text("id");
        String six = reserve(acme, fromPool(pool("2001:db8:102::/64"))).text("id");
        String body = """
                {"name": "%s", "vip_ids": ["%s", "%s"],
                 "listeners": [{"name": "http", "protocol": "tcp", "port_ranges": [{"first": 80, "last": 80}],
                     "pool_name": "web"}],
                 "pools": [{"name": "web", "members": [{"address": "10.52.0.1"}%s]}]}""";

        Answer fourOnly = api.post(acme.token(), acme.path("/load-balancers"), body.formatted("dual", four, six, ""));
        Answer both = api.post(
                acme.token(),
                acme.path("/load-balancers"),
                body.formatted("dual", four, six, ", {\"address\": \"2001:db8:52:0::1\"}"));

        assertThat(fourOnly.status()).isEqualTo(422);
        assertThat(fourOnly.body().at("/errors/0/code").asString()).isEqualTo("VIP_FAMILY_WITHOUT_MEMBER");
        assertThat(both.status()).isEqualTo(201);
        assertThat(both.body().at("/vips").size()).isEqualTo(2);
        assertThat(both.body()
                        .at("/pools/0/members")
                        .valueStream()
                        .map(member -> member.path("address").asString()))
                .contains("2001:db8:52::1");
    }

    @Test
    void releasedVipIsTakenBackHeld() {
        Answer vip = reserve(acme, fromPool(api.addressPool()));
        release(acme, vip);

        Answer listed = api.get(acme.token(), acme.path("/vips?deleted=true&name=" + vip.text("name")));
        Answer foreign = api.post(globex.token(), globex.path("/vips/" + vip.text("id") + ":undelete"), "");
        Answer back = api.post(acme.token(), acme.path("/vips/" + vip.text("id") + ":undelete"), "");

        assertThat(listed.body().at("/items/0/id").asString()).isEqualTo(vip.text("id"));
        assertThat(listed.body().at("/items/0/purge_at").isMissingNode()).isFalse();
        assertThat(foreign.status()).isEqualTo(404);
        assertThat(back.status()).isEqualTo(200);
        assertThat(back.text("address")).isEqualTo(vip.text("address"));
        assertThat(back.body().path("load_balancer_id").isNull()).isTrue();
        assertThat(api.get(acme.token(), acme.path("/vips/" + vip.text("id"))).header("etag"))
                .isEqualTo("\"2\"");
    }

    @Test
    void vipWhoseAddressIsInUseAgainStaysDeleted() {
        Answer vip = reserve(acme, fromPool(api.addressPool()));
        release(acme, vip);
        assertThat(reserve(acme, wish(vip.text("address"))).status()).isEqualTo(201);

        Answer back = api.post(acme.token(), acme.path("/vips/" + vip.text("id") + ":undelete"), "");

        assertThat(back.status()).isEqualTo(409);
        assertThat(back.text("code")).isEqualTo("ADDRESS_NOT_AVAILABLE");
    }

    @Test
    void nobodyGetsAnAddressTwice() throws InterruptedException, ExecutionException {
        // 30 usable addresses for 40 reservations of two projects.
        String pool = pool("100.127.1.0/27");
        List<Future<Answer>> calls = new ArrayList<>();
        try (ExecutorService threads = Executors.newFixedThreadPool(32)) {
            for (int i = 0; i < 40; i++) {
                TestProject project = i % 2 == 0 ? acme : globex;
                calls.add(threads.submit(() -> reserve(project, fromPool(pool))));
            }
        }

        List<String> addresses = new ArrayList<>();
        List<Integer> refusals = new ArrayList<>();
        for (Future<Answer> call : calls) {
            Answer answer = call.get();
            if (answer.status() == 201) {
                addresses.add(answer.text("address"));
            } else {
                refusals.add(answer.status());
            }
        }
        assertThat(addresses).hasSize(30).doesNotHaveDuplicates();
        assertThat(refusals).hasSize(10).containsOnly(409);
    }

    @Test
    void exhaustedHeldAndQuarantinedAnswerAlike() {
        String pool = pool("100.127.2.0/31");
        Answer held = reserve(acme, fromPool(pool));
        Answer released = reserve(acme, fromPool(pool));
        release(acme, released);

        Answer exhausted = reserve(globex, fromPool(pool));
        Answer wishHeld = reserve(globex, wish(held.text("address")));
        Answer wishQuarantined = reserve(globex, wish(released.text("address")));
        Answer nowhere = reserve(globex, wish("192.0.2.77"));

        assertThat(List.of(exhausted, wishHeld, wishQuarantined, nowhere)).allSatisfy(answer -> {
            assertThat(answer.status()).isEqualTo(409);
            assertThat(answer.text("code")).isEqualTo("ADDRESS_NOT_AVAILABLE");
        });
        assertThat(wishQuarantined.text("detail").replace(released.text("address"), "X"))
                .isEqualTo(wishHeld.text("detail").replace(held.text("address"), "X"))
                .isEqualTo(nowhere.text("detail").replace("192.0.2.77", "X"));
    }

    @Test
    void addressGoesToAnotherProjectOnceEveryNodePassedItsRemovalOrWasFenced() {
        Answer vip = reserve(acme, fromPool(pool("100.127.3.0/32")));
        Answer web =
                RunningApi.created(api.post(acme.token(), acme.path("/load-balancers"), """
                {"name": "handed-on", "vip_ids": ["%s"],
                 "listeners": [{"name": "http", "protocol": "tcp", "port_ranges": [{"first": 80, "last": 80}],
                     "pool_name": "web"}],
                 "pools": [{"name": "web", "members": [{"address": "10.52.0.1"}]}]}""".formatted(vip.text("id"))));
        api.execute("update nodes set fenced_at = now() where fenced_at is null");
        String slow = node("slow");
        String fenced = node("fenced");
        release(acme, vip);
        long removal = api.get(acme.token(), acme.path("/load-balancers/" + web.text("id")))
                .body()
                .path("generation")
                .asLong();
        published(web, 1, removal, 40);
        api.execute("update address_leases set quarantined_until = now() where address = '%s'"
                .formatted(vip.text("address")));

        Answer unpassed = reserve(globex, wish(vip.text("address")));
        watermark(slow, 41);
        Answer oneLeft = reserve(globex, wish(vip.text("address")));
        api.execute("update nodes set fenced_at = now() where id = '%s'".formatted(fenced));
        Answer passed = reserve(globex, wish(vip.text("address")));

        assertThat(unpassed.status()).isEqualTo(409);
        assertThat(oneLeft.status()).isEqualTo(409);
        assertThat(passed.status()).isEqualTo(201);
        assertThat(api.post(acme.token(), acme.path("/vips/" + vip.text("id") + ":undelete"), "")
                        .status())
                .isEqualTo(409);
    }

    private static String node(String name) {
        String pop = RunningApi.created(api.post(
                        api.operatorToken(), "/v1/pops", "{\"name\": \"%s\"}".formatted(RunningApi.name(name))))
                .text("id")
                .substring(4);
        return api.query("""
                insert into nodes (pop_id, name, data_address, data_prefix_length, bgp_local_asn, bgp_router_id)
                values ('%s', '%s', '10.99.0.1', 24, 64511, '10.99.1.1') returning id""".formatted(pop, name));
    }

    private static void published(Answer loadBalancer, int partition, long generation, long offset) {
        api.execute("""
                insert into published_records (project_id, load_balancer_id, epoch, sequence, partition, log_offset,
                    kind, generation, pop_ids, config_sha256, committed_at)
                values ('%s', '%s', 1, 1, %d, %d, 'config', %d, '{}', '', now())""".formatted(
                acme.projectId().substring(4), loadBalancer.text("id").substring(3), partition, offset, generation));
    }

    private static void watermark(String node, long position) {
        api.execute("""
                insert into node_watermarks (node_id, partition, position, epoch, applied_at)
                values ('%s', 1, %d, 1, now())""".formatted(node, position));
    }
}
