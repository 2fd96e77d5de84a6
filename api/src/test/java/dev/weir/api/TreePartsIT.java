// SPDX-License-Identifier: Apache-2.0
package dev.weir.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.api.RunningApi.Answer;
import dev.weir.api.RunningApi.TestProject;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Listeners, pools, members and monitors as resources of their own. */
class TreePartsIT {
    private static RunningApi api;
    private static TestProject acme;

    @BeforeAll
    static void start() {
        api = RunningApi.get();
        acme = api.project("parts", "10.53.0.0/24");
    }

    /** @param web what a load balancer with one listener and one pool of ten members answers */
    private record Made(Answer web) {
        String path(String rest) {
            return acme.path("/load-balancers/" + web.text("id") + rest);
        }

        String pool() {
            return path("/pools/" + web.body().at("/pools/0/id").asString());
        }

        String member(int n) {
            return pool() + "/members/"
                    + web.body().at("/pools/0/members/%d/id".formatted(n)).asString();
        }

        String listener() {
            return path("/listeners/" + web.body().at("/listeners/0/id").asString());
        }
    }

    private static Made make(String name) {
        String members = IntStream.rangeClosed(1, 10)
                .mapToObj("{\"address\": \"10.53.0.%d\"}"::formatted)
                .collect(Collectors.joining(","));
        return new Made(
                RunningApi.created(api.post(acme.token(), acme.path("/load-balancers"), """
                {"name": "%s",
                 "listeners": [{"name": "http", "protocol": "tcp", "port_ranges": [{"first": 80, "last": 80}],
                     "pool_name": "web"}],
                 "pools": [{"name": "web", "members": [%s]}]}""".formatted(name, members))));
    }

    private static Answer withTag(String method, String path, @Nullable String body, String tag) {
        return api.call(acme.token(), method, path, body, Map.of("If-Match", tag));
    }

    @Test
    void tenClientsChangeTenMembersAtOnceAndAllSucceed() throws InterruptedException, ExecutionException {
        Made made = make("ten");
        List<Future<Answer>> calls = new ArrayList<>();

        try (ExecutorService threads = Executors.newFixedThreadPool(10)) {
            for (int n = 0; n < 10; n++) {
                String path = made.member(n);
                String tag = api.get(acme.token(), path).header("etag");
                String body = "{\"weight\": %d}".formatted(n + 1);
                calls.add(threads.submit(() -> withTag("PATCH", path, body, tag)));
            }
        }

        for (Future<Answer> call : calls) {
            assertThat(call.get().status()).isEqualTo(200);
        }
        Answer pool = api.get(acme.token(), made.pool());
        assertThat(pool.body()
                        .path("members")
                        .valueStream()
                        .map(member -> member.path("weight").asInt()))
                .containsExactlyInAnyOrder(1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
    }

    @Test
    void twoClientsOfOneMemberLoseNoUpdate() throws InterruptedException, ExecutionException {
        Made made = make("two");
        String tag = api.get(acme.token(), made.member(0)).header("etag");
        List<Future<Answer>> calls = new ArrayList<>();

        try (ExecutorService threads = Executors.newFixedThreadPool(8)) {
            for (int n = 1; n <= 8; n++) {
                String body = "{\"weight\": %d}".formatted(n);
                calls.add(threads.submit(() -> withTag("PATCH", made.member(0), body, tag)));
            }
        }

        List<Integer> statuses = new ArrayList<>();
        for (Future<Answer> call : calls) {
            statuses.add(call.get().status());
        }
        assertThat(statuses)
                .containsOnlyOnce(200)
                .filteredOn(status -> status == 412)
                .hasSize(7);
    }

    @Test
    void memberIsChangedInAllItsProperties() {
        Made made = make("all-properties");

        Answer changed = api.patch(acme.token(), made.member(0), """
                {"name": "renamed", "address": "10.53.0.99", "port": {"kind": "fixed", "value": 8080}, "priority": 2}""");
        Answer outside = api.patch(acme.token(), made.member(1), "{\"address\": \"192.0.2.1\", \"weight\": 3}");

        assertThat(changed.status()).isEqualTo(200);
        assertThat(changed.text("name")).isEqualTo("renamed");
        assertThat(changed.text("address")).isEqualTo("10.53.0.99");
        assertThat(changed.body().path("weight").asInt()).isEqualTo(100);
        assertThat(changed.text("id"))
                .isEqualTo(made.web().body().at("/pools/0/members/0/id").asString());
        assertThat(outside.status()).isEqualTo(422);
        assertThat(outside.pointers()).containsExactly("/address");
    }

    @Test
    void batchesAddReplaceAndRemoveAllOrNothing() {
        Made made = make("batches");

        Answer added = api.post(acme.token(), made.pool() + "/members:add", """
                {"members": [{"address": "10.53.0.1", "weight": 7}, {"address": "10.53.0.50"}]}""");
        Answer refused = api.post(acme.token(), made.pool() + "/members:add", """
                {"members": [{"address": "10.53.0.51"}, {"address": "203.0.113.1"}]}""");
        String first = made.web().body().at("/pools/0/members/0/id").asString();
        Answer removed =
                api.post(acme.token(), made.pool() + "/members:remove", "{\"member_ids\": [\"%s\"]}".formatted(first));
        Answer again =
                api.post(acme.token(), made.pool() + "/members:remove", "{\"member_ids\": [\"%s\"]}".formatted(first));
        Answer replaced = withTag(
                "PUT",
                made.pool() + "/members",
                "{\"members\": [{\"address\": \"10.53.0.2\"}]}",
                removed.header("etag"));

        assertThat(added.status()).isEqualTo(200);
        assertThat(added.body().path("members").size()).isEqualTo(11);
        assertThat(refused.status()).isEqualTo(422);
        assertThat(refused.pointers()).containsExactly("/members/1/address");
        assertThat(removed.body().path("members").size()).isEqualTo(10);
        assertThat(again.pointers()).containsExactly("/member_ids/0");
        assertThat(replaced.status()).isEqualTo(200);
        assertThat(replaced.body().path("members").size()).isEqualTo(1);
        assertThat(replaced.body().at("/members/0/id").asString())
                .isEqualTo(made.web().body().at("/pools/0/members/1/id").asString());
        Answer listed = api.get(acme.token(), made.pool() + "/members?limit=1");
        assertThat(listed.body().path("items").size()).isEqualTo(1);
        assertThat(listed.header("etag")).isEqualTo(replaced.header("etag"));
    }

    @Test
    void listenerIsMadeChangedAndDeleted() {
        Made made = make("listeners");
        String listener = """
                {"name": "dns", "protocol": "udp", "port_ranges": [{"first": 53, "last": 53}], "pool_name": "web",
                 "source_persistence": {"timeout_s": 60}}""";

        Answer created = api.post(acme.token(), made.path("/listeners"), listener);
        Answer noPool = api.post(
                acme.token(),
                made.path("/listeners"),
                listener.replace("\"web\"", "\"none\"").replace("dns", "dnx"));
        Answer changed = withTag(
                "PATCH",
                created.header("location"),
                "{\"idle_timeout_s\": 90, \"source_persistence\": null}",
                created.header("etag"));
        Answer overlapping = api.patch(acme.token(), made.listener(), """
                {"protocol": "udp", "port_ranges": [{"first": 50, "last": 60}]}""");
        Answer stale = withTag("DELETE", created.header("location"), null, created.header("etag"));
        Answer deleted = withTag("DELETE", created.header("location"), null, changed.header("etag"));

        assertThat(created.status()).isEqualTo(201);
        assertThat(created.body().at("/source_persistence/ipv4_prefix_length").asInt())
                .isEqualTo(32);
        assertThat(noPool.pointers()).contains("/pool_name");
        assertThat(changed.status()).isEqualTo(200);
        assertThat(changed.body().path("idle_timeout_s").asInt()).isEqualTo(90);
        assertThat(changed.body().has("source_persistence")).isFalse();
        assertThat(overlapping.pointers()).containsExactly("/port_ranges/0");
        assertThat(stale.status()).isEqualTo(412);
        assertThat(deleted.status()).isEqualTo(204);
        assertThat(api.get(acme.token(), made.path("/listeners"))
                        .body()
                        .path("items")
                        .size())
                .isEqualTo(1);
    }

    @Test
    void poolInUseNamesItsListenersAndAFreeOneGoes() {
        Made made = make("pools");
        Answer spare = api.post(acme.token(), made.path("/pools"), "{\"name\": \"spare\", \"members\": []}");

        Answer inUse = api.delete(acme.token(), made.pool());
        Answer changed =
                api.patch(acme.token(), made.pool(), "{\"algorithm\": \"round_robin\", \"drain_timeout_s\": 5}");
        Answer deleted = api.delete(acme.token(), spare.header("location"));

        assertThat(inUse.status()).isEqualTo(409);
        assertThat(inUse.text("code")).isEqualTo("RESOURCE_IN_USE");
        assertThat(inUse.body().at("/errors/0/detail").asString()).contains("http", "lst_");
        assertThat(changed.text("algorithm")).isEqualTo("round_robin");
        assertThat(changed.body().path("members").size()).isEqualTo(10);
        assertThat(deleted.status()).isEqualTo(204);
    }

    @Test
    void healthMonitorIsSetReplacedAndRemoved() {
        Made made = make("monitors");
        String path = made.pool() + "/health-monitor";

        Answer none = api.get(acme.token(), path);
        Answer set = api.call(acme.token(), "PUT", path, "{\"type\": \"tcp_connect\"}", Map.of());
        Answer wrong = api.call(
                acme.token(),
                "PUT",
                path,
                "{\"type\": \"tcp_connect\", \"interval_ms\": 100, \"timeout_ms\": 200}",
                Map.of());
        Answer replaced = withTag("PUT", path, "{\"type\": \"tcp_connect\", \"fall\": 5}", set.header("etag"));
        Answer removed = api.delete(acme.token(), path);

        assertThat(none.status()).isEqualTo(404);
        assertThat(set.body().path("interval_ms").asInt()).isEqualTo(2000);
        assertThat(wrong.pointers()).containsExactly("/timeout_ms");
        assertThat(replaced.text("id")).isEqualTo(set.text("id"));
        assertThat(replaced.body().path("fall").asInt()).isEqualTo(5);
        assertThat(removed.status()).isEqualTo(204);
    }

    @Test
    void maintainerChangesWeightsAndNothingElse() {
        Made made = make("maintained");
        Answer account = RunningApi.created(api.post(acme.token(), acme.path("/service-accounts"), """
                {"name": "keeper", "role": "maintainer"}"""));
        String token = api.token(account.text("client_id"), account.text("client_secret"));

        Answer weight = api.patch(token, made.member(0), "{\"weight\": 0}");
        Answer address = api.patch(token, made.member(0), "{\"weight\": 0, \"address\": \"10.53.0.77\"}");

        assertThat(weight.status()).isEqualTo(200);
        assertThat(address.status()).isEqualTo(403);
    }
}
