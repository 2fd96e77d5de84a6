// SPDX-License-Identifier: Apache-2.0
package dev.weir.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.api.RunningApi.Answer;
import dev.weir.api.RunningApi.TestProject;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** Reads what the provisioner writes; its rows are written here, by hand. */
class ObservationIT {
    private static RunningApi api;
    private static TestProject acme;
    private static String popId;
    private static String popName;
    private static String node1;
    private static String node2;
    private static Answer web;

    @BeforeAll
    static void start() {
        api = RunningApi.get();
        acme = api.project("observed", "10.50.0.0/24");
        String operator = api.operatorToken();
        popName = RunningApi.name("pop");
        popId = RunningApi.created(api.post(operator, "/v1/pops", "{\"name\": \"%s\"}".formatted(popName)))
                .text("id");
        node1 = node(operator, "one", 11);
        node2 = node(operator, "two", 12);
        web = RunningApi.created(api.post(acme.token(), acme.path("/load-balancers"), """
                {"name": "web", "placement": {"kind": "named", "pop_ids": ["%s"]},
                 "listeners": [{"name": "http", "protocol": "tcp", "port_ranges": [{"first": 80, "last": 80}],
                     "pool_name": "web"}],
                 "pools": [{"name": "web", "health_monitor": {"type": "tcp_connect"}, "members": [
                     {"name": "good", "address": "10.50.0.1"}, {"name": "bad", "address": "10.50.0.2"}]}]}""".formatted(popId)));
    }

    private static String node(String operator, String name, int host) {
        return RunningApi.created(api.post(operator, "/v1/pops/" + popId + "/nodes", """
                {"name": "%s", "data_address": "10.99.0.%d", "data_prefix_length": 24,
                 "bgp": {"local_asn": 64511, "router_id": "10.98.0.%d", "peers": []}}""".formatted(name, host, host)))
                .text("id");
    }

    private static String uuid(String id) {
        return id.substring(id.indexOf('_') + 1);
    }

    private static String path(String rest) {
        return acme.path("/load-balancers/" + web.text("id") + rest);
    }

    private static String project() {
        return uuid(acme.projectId());
    }

    private static String loadBalancer() {
        return uuid(web.text("id"));
    }

    private static void report(String node, String age) {
        api.execute("""
                insert into node_reports values ('%s', now() - interval '%s', 'a', 1, '1', '1', '{}', true, 't', 1)
                on conflict (node_id) do update set last_seen_at = excluded.last_seen_at""".formatted(uuid(node), age));
    }

    @Test
    void rolloutTellsWhatEachNodeRuns() {
        Answer before = api.get(acme.token(), path("/rollout"));
        assertThat(before.body().at("/totals/placed").asInt()).isEqualTo(2);
        assertThat(before.body().at("/totals/unreachable").asInt()).isEqualTo(2);
        report(node1, "1 second");
        report(node2, "60 seconds");
        api.execute("""
                insert into published_records (project_id, load_balancer_id, epoch, sequence, partition, log_offset, kind,
                    generation, pop_ids, config_sha256, committed_at, published_at)
                values ('%s', '%s', 1, 1, 3, 40, 'config', 1, '{%s}', '', now(), now())
                """.formatted(project(), loadBalancer(), uuid(popId)));
        api.execute(
                "insert into load_balancer_status (project_id, load_balancer_id, observed_generation) values ('%s', '%s', 1)"
                        .formatted(project(), loadBalancer()));
        api.execute("insert into node_watermarks values ('%s', 3, 41, 1, now())".formatted(uuid(node1)));
        api.execute("insert into node_watermarks values ('%s', 3, 40, 1, now())".formatted(uuid(node2)));

        Answer rollout = api.get(acme.token(), path("/rollout"));

        assertThat(rollout.body().path("observed_generation").asInt()).isEqualTo(1);
        assertThat(rollout.body().has("published_at")).isTrue();
        JsonNode one = rollout.body().at("/nodes/0");
        assertThat(one.path("state").asString()).isEqualTo("applied");
        assertThat(one.path("applied_generation").asInt()).isEqualTo(1);
        assertThat(one.path("lag_ms").asDouble()).isPositive();
        JsonNode two = rollout.body().at("/nodes/1");
        assertThat(two.path("state").asString()).isEqualTo("unreachable");
        assertThat(two.path("applied_generation").asInt()).isZero();

        report(node2, "1 second");
        api.execute("""
                insert into node_rejections (project_id, load_balancer_id, node_id, epoch, sequence, code, reason,
                    running_generation)
                values ('%s', '%s', '%s', 1, 1, 'UNSUPPORTED_FEATURE', 'dsr', 0)
                """.formatted(project(), loadBalancer(), uuid(node2)));
        JsonNode rejected = api.get(acme.token(), path("/rollout")).body().at("/nodes/1");
        assertThat(rejected.path("state").asString()).isEqualTo("rejected");
        assertThat(rejected.path("code").asString()).isEqualTo("UNSUPPORTED_FEATURE");
    }

    @Test
    void stagedRolloutSaysWhereItIsAndFollowsAPersonsWord() {
        Answer lb = RunningApi.created(api.post(acme.token(), acme.path("/load-balancers"), """
                {"name": "staged", "rollout": "staged", "listeners": [], "pools": []}"""));
        String id = uuid(lb.text("id"));
        String rollout = acme.path("/load-balancers/" + lb.text("id") + "/rollout");
        assertThat(lb.text("rollout")).isEqualTo("staged");
        assertThat(api.get(acme.token(), rollout).body().has("staged")).isFalse();
        assertThat(api.post(acme.token(), rollout + ":promote", "").text("code"))
                .isEqualTo("NO_STAGED_ROLLOUT");
        api.execute("""
                insert into staged_rollouts (project_id, load_balancer_id, stable_generation, stable_tree,
                    stable_committed_at, stable_maglev_table_sizes, stable_serving_since_us, candidate_revision_id,
                    candidate_generation, state, pop_ids, all_pop_ids, unhealthy_before)
                select project_id, id, 1, '{}', now(), '{}', '{}', revision_id, 2, 'running', '{%s}', '{%s}', 0
                from load_balancers where id = '%s'
                """.formatted(uuid(popId), uuid(popId), id));

        assertThat(api.get(acme.token(), rollout).body().at("/staged/state").asString())
                .isEqualTo("running");
        assertThat(api.post(acme.token(), rollout + ":stop", "").text("state")).isEqualTo("stopped");
        Answer reverted = api.post(acme.token(), rollout + ":revert", "");

        assertThat(reverted.text("state")).isEqualTo("reverted");
        assertThat(reverted.body().at("/pop_ids/0").asString()).isEqualTo(popId);
        assertThat(reverted.body().has("ended_at")).isTrue();
        assertThat(api.query("select count(*) from outbox where key = '%s' and generation = 1".formatted(id)))
                .as("the creation, the stop and the revert")
                .isEqualTo("3");
        assertThat(api.post(acme.token(), rollout + ":promote", "").text("code"))
                .isEqualTo("NO_STAGED_ROLLOUT");
    }

    @Test
    void changeThatWaitsLongIsDelayed() {
        api.execute("update outbox set state = 'pending', created_at = now() - interval '1 minute' where key = '%s'"
                .formatted(loadBalancer()));
        assertThat(api.get(acme.token(), path("/rollout"))
                        .body()
                        .path("publishing_delayed")
                        .asBoolean())
                .isTrue();

        api.execute("update outbox set state = 'done' where key = '%s'".formatted(loadBalancer()));

        assertThat(api.get(acme.token(), path("/rollout"))
                        .body()
                        .path("publishing_delayed")
                        .asBoolean())
                .isFalse();
    }

    @Test
    void statusSumsUpWhatNodesSee() {
        report(node1, "1 second");
        seen(node1, "/pools/0/members/0/id", "healthy", "connected", 4);
        seen(node1, "/pools/0/members/1/id", "unhealthy", "refused", 0);

        Answer status = api.get(acme.token(), path("/status"));

        assertThat(status.text("operating_status")).isEqualTo("degraded");
        assertThat(status.body().at("/pops/0/pop_name").asString()).isEqualTo(popName);
        assertThat(status.body().at("/pools/0/members/0/operating_status").asString())
                .isEqualTo("healthy");
        assertThat(status.body().at("/pools/0/members/0/active_flows").asInt()).isEqualTo(4);
        assertThat(status.body().at("/pools/0/members/1/pops/0/reason").asString())
                .isEqualTo("refused");
        assertThat(status.body().at("/listeners/0/operating_status").asString()).isEqualTo("degraded");
    }

    private static void seen(String node, String member, String status, String reason, int flows) {
        api.execute("""
                insert into member_status values ('%s', '%s', '%s', '%s', '%s', '%s', '%s', '%s', now(), 300, now(), %d,
                    null, 1, now())
                """.formatted(
                        project(),
                        loadBalancer(),
                        uuid(web.body().at("/pools/0/id").asString()),
                        uuid(web.body().at(member).asString()),
                        uuid(popId),
                        uuid(node),
                        status,
                        reason,
                        flows));
    }

    @Test
    void metricsAddUpByStep() {
        for (int seconds : new int[] {0, 10, 70}) {
            api.execute("""
                    insert into metrics_10s (project_id, load_balancer_id, bucket, pop_id, listener_id, member_id, in_packets,
                        new_flows, active_flow_seconds)
                    values ('%s', '%s', date_bin('1 minute', now(), 'epoch') - interval '3 minutes' + interval '%d seconds',
                        '%s', '%s', '%s', 5, 1, 20)
                    """.formatted(
                            project(),
                            loadBalancer(),
                            seconds,
                            uuid(popId),
                            uuid(web.body().at("/listeners/0/id").asString()),
                            uuid(web.body().at("/pools/0/members/0/id").asString())));
        }

        Answer fine = api.get(acme.token(), path("/metrics"));
        Answer coarse = api.get(acme.token(), path("/metrics?step=1m"));

        assertThat(fine.body().path("step_s").asInt()).isEqualTo(10);
        assertThat(fine.body().path("rows").size()).isEqualTo(3);
        assertThat(fine.body().at("/rows/0/active_flows").asInt()).isEqualTo(2);
        assertThat(coarse.body().path("rows").size()).isEqualTo(2);
        assertThat(coarse.body().at("/rows/0/in_packets").asInt()).isEqualTo(10);
        assertThat(api.get(acme.token(), path("/metrics?step=7s")).status()).isEqualTo(400);
        assertThat(api.get(acme.token(), path("/metrics?from=2020-01-01T00:00:00Z"))
                        .pointers())
                .containsExactly("query/from");
    }
}
