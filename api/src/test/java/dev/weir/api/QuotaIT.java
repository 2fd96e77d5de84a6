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
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class QuotaIT {
    private static RunningApi api;

    @BeforeAll
    static void start() {
        api = RunningApi.get();
    }

    private static void limit(TestProject project, String limits) {
        assertThat(api.patch(api.operatorToken(), project.path("/quota"), limits)
                        .status())
                .isEqualTo(200);
    }

    private static String tree(String name, int members) {
        List<String> all = new ArrayList<>();
        for (int i = 1; i <= members; i++) {
            all.add("{\"address\": \"10.54.0.%d\"}".formatted(i));
        }
        return """
                {"name": "%s",
                 "listeners": [{"name": "http", "protocol": "tcp", "port_ranges": [{"first": 80, "last": 80}],
                     "pool_name": "web"}],
                 "pools": [{"name": "web", "members": [%s]}]}""".formatted(name, String.join(",", all));
    }

    @Test
    void tenantReadsWhatTheOperatorSets() {
        TestProject project = api.project("quota-read", "10.54.0.0/24");
        limit(project, "{\"load_balancers\": 3}");
        RunningApi.created(api.post(project.token(), project.path("/load-balancers"), tree("one", 2)));

        Answer quota = api.get(project.token(), project.path("/quota"));
        Answer own = api.patch(project.token(), project.path("/quota"), "{\"load_balancers\": 99}");

        assertThat(quota.body().at("/load_balancers/limit").asInt()).isEqualTo(3);
        assertThat(quota.body().at("/load_balancers/used").asInt()).isEqualTo(1);
        assertThat(quota.body().at("/members/used").asInt()).isEqualTo(2);
        assertThat(own.status()).isEqualTo(403);
        assertThat(api.get(api.operatorToken(), project.path("/quota")).body()).isEqualTo(quota.body());
    }

    @Test
    void whatExceedsTheQuotaIsRefusedWithAPointerAndShrinkingIsNot() {
        TestProject project = api.project("quota-edge", "10.54.0.0/24");
        limit(project, "{\"members\": 3}");
        Answer web = RunningApi.created(api.post(project.token(), project.path("/load-balancers"), tree("web", 3)));
        String members = project.path("/load-balancers/" + web.text("id") + "/pools/"
                + web.body().at("/pools/0/id").asString() + "/members");

        Answer fourth = api.post(project.token(), members, "{\"address\": \"10.54.0.9\"}");
        Answer faulty = api.post(
                project.token(), project.path("/load-balancers"), tree("two", 1).replace("10.54", "192.0"));
        limit(project, "{\"members\": 1}");
        Answer fewer = api.delete(
                project.token(),
                members + "/" + web.body().at("/pools/0/members/0/id").asString());
        Answer weight = api.patch(
                project.token(),
                members + "/" + web.body().at("/pools/0/members/1/id").asString(),
                "{\"weight\": 1}");

        assertThat(fourth.status()).isEqualTo(409);
        assertThat(fourth.text("code")).isEqualTo("QUOTA_EXCEEDED");
        assertThat(fourth.pointers()).containsExactly("/pools");
        assertThat(faulty.status()).isEqualTo(422);
        assertThat(faulty.pointers()).containsExactlyInAnyOrder("/pools/0/members/0/address", "/pools");
        assertThat(fewer.status()).isEqualTo(204);
        assertThat(weight.status()).isEqualTo(200);
    }

    @Test
    void batchesMayEndAtTheLimitButNotBeyond() {
        TestProject project = api.project("quota-batch", "10.54.0.0/24");
        limit(project, "{\"members\": 3, \"prefix_lists\": 0}");
        Answer web = RunningApi.created(api.post(project.token(), project.path("/load-balancers"), tree("web", 1)));
        String pool = project.path("/load-balancers/" + web.text("id") + "/pools/"
                + web.body().at("/pools/0/id").asString());

        Answer beyond = api.post(project.token(), pool + "/members:add", """
                {"members": [{"address": "10.54.0.7"}, {"address": "10.54.0.8"}, {"address": "10.54.0.9"}]}""");
        Answer atLimit = api.post(project.token(), pool + "/members:add", """
                {"members": [{"address": "10.54.0.7"}, {"address": "10.54.0.8"}]}""");
        Answer others = api.call(project.token(), "PUT", pool + "/members", """
                {"members": [{"address": "10.54.0.4"}, {"address": "10.54.0.5"}, {"address": "10.54.0.6"}]}""", Map.of());
        Answer none = api.post(
                project.token(), project.path("/prefix-lists"), "{\"name\": \"none\", \"cidrs\": [\"192.0.2.0/24\"]}");

        assertThat(beyond.text("code")).isEqualTo("QUOTA_EXCEEDED");
        assertThat(atLimit.body().path("members").size()).isEqualTo(3);
        assertThat(others.status()).isEqualTo(200);
        assertThat(others.body().path("members").size()).isEqualTo(3);
        assertThat(none.text("code")).isEqualTo("QUOTA_EXCEEDED");
        assertThat(api.get(project.token(), project.path("/quota"))
                        .body()
                        .at("/members/used")
                        .asInt())
                .isEqualTo(3);
    }

    @Test
    void deletedOnesDoNotCount() {
        TestProject project = api.project("quota-deleted", "10.54.0.0/24");
        limit(project, "{\"load_balancers\": 1, \"vips\": 1}");
        Answer web = RunningApi.created(api.post(project.token(), project.path("/load-balancers"), tree("web", 1)));
        String pool = "{\"address_pool_id\": \"%s\"}".formatted(api.addressPool());
        Answer vip = RunningApi.created(api.post(project.token(), project.path("/vips"), pool));
        assertThat(api.post(project.token(), project.path("/vips"), pool).text("code"))
                .isEqualTo("QUOTA_EXCEEDED");

        api.delete(project.token(), project.path("/load-balancers/" + web.text("id")));
        api.delete(project.token(), project.path("/vips/" + vip.text("id")));
        Answer another = api.post(project.token(), project.path("/load-balancers"), tree("web", 1));
        Answer anotherVip = api.post(project.token(), project.path("/vips"), pool);
        Answer undeleted =
                api.post(project.token(), project.path("/load-balancers/" + web.text("id") + ":undelete"), "");

        assertThat(another.status()).isEqualTo(201);
        assertThat(anotherVip.status()).isEqualTo(201);
        assertThat(undeleted.text("code")).isEqualTo("QUOTA_EXCEEDED");
    }

    @Test
    void tenThreadsDoNotPassTheLastFreePlaces() throws InterruptedException, ExecutionException {
        TestProject project = api.project("quota-race", "10.54.0.0/24");
        limit(project, "{\"load_balancers\": 4}");
        List<Future<Answer>> calls = new ArrayList<>();

        try (ExecutorService threads = Executors.newFixedThreadPool(10)) {
            for (int i = 0; i < 10; i++) {
                String body = tree("race-" + i, 1);
                calls.add(threads.submit(() -> api.post(project.token(), project.path("/load-balancers"), body)));
            }
        }

        List<Integer> statuses = new ArrayList<>();
        for (Future<Answer> call : calls) {
            statuses.add(call.get().status());
        }
        assertThat(statuses).filteredOn(status -> status == 201).hasSize(4);
        assertThat(statuses).filteredOn(status -> status == 409).hasSize(6);
    }
}
