// SPDX-License-Identifier: Apache-2.0
package dev.weir.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.api.RunningApi.Answer;
import dev.weir.api.RunningApi.TestProject;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

class DrainIT {
    private static RunningApi api;
    private static TestProject acme;
    private static String maintainer;
    private static String pop1;
    private static String pop2;
    private static String elsewhere;

    private String id;
    private String member;
    private String memberPath;

    @BeforeAll
    static void start() {
        api = RunningApi.get();
        acme = api.project("draining", "10.50.0.0/24");
        pop1 = pop();
        pop2 = pop();
        elsewhere = pop();
        Answer account = RunningApi.created(api.post(
                acme.token(), acme.path("/service-accounts"), "{\"name\": \"keeper\", \"role\": \"maintainer\"}"));
        maintainer = api.token(account.text("client_id"), account.text("client_secret"));
    }

    private static String pop() {
        return RunningApi.created(api.post(
                        api.operatorToken(), "/v1/pops", "{\"name\": \"%s\"}".formatted(RunningApi.name("pop"))))
                .text("id");
    }

    @BeforeEach
    void make() {
        Answer web = RunningApi.created(api.post(
                acme.token(), acme.path("/load-balancers"), """
                {"name": "%s", "placement": {"kind": "named", "pop_ids": ["%s", "%s"]},
                 "listeners": [{"name": "http", "protocol": "tcp", "port_ranges": [{"first": 80, "last": 80}],
                     "pool_name": "web"}],
                 "pools": [{"name": "web", "forwarding_mode": "snat", "members": [
                     {"name": "one", "address": "10.50.0.1"}, {"name": "two", "address": "10.50.0.2"}]}]}""".formatted(RunningApi.name("drained"), pop1, pop2)));
        id = web.text("id");
        String pool = web.body().at("/pools/0/id").asString();
        member = web.body().at("/pools/0/members/0/id").asString();
        memberPath = path("/pools/" + pool + "/members/" + member);
    }

    private String path(String rest) {
        return acme.path("/load-balancers/" + id + rest);
    }

    private JsonNode status() {
        return api.get(acme.token(), path("/status")).body();
    }

    private String column(String expression, String table) {
        return api.query("select %s from %s where %s = '%s'"
                .formatted(
                        expression,
                        table,
                        switch (table) {
                            case "load_balancers" -> "id";
                            case "outbox" -> "key";
                            default -> "load_balancer_id";
                        },
                        id.substring(3)));
    }

    @Test
    void aMaintainerDrainsAMemberForAWhileAndTheSpecStaysAsItIs() {
        String tag = api.get(acme.token(), path("")).header("etag");
        String pending = column("count(*)", "outbox");
        Instant before = Instant.now();

        Answer drain = api.post(maintainer, memberPath + ":drain", "{\"duration_s\": 7200}");

        assertThat(drain.status()).isEqualTo(200);
        assertThat(drain.text("member_id")).isEqualTo(member);
        Instant until = OffsetDateTime.parse(drain.text("until")).toInstant();
        assertThat(until)
                .isBetween(
                        before.plusSeconds(7200).minusMillis(1),
                        Instant.now().plusSeconds(7200).plusMillis(1));
        assertThat(status().at("/drains/0/until").asString()).isEqualTo(drain.text("until"));
        assertThat(status().path("drains").size()).isEqualTo(1);
        assertThat(api.get(acme.token(), path("")).header("etag")).isEqualTo(tag);
        assertThat(column("count(*)", "revisions")).isEqualTo("1");
        assertThat(column("overlay_sequence", "load_balancers")).isEqualTo("1");
        assertThat(Long.parseLong(column("count(*)", "outbox"))).isEqualTo(Long.parseLong(pending) + 1);
    }

    @Test
    void drainingAgainReplacesTheTimeAndUndrainingEndsIt() {
        String since = api.post(maintainer, memberPath + ":drain", "{\"duration_s\": 60}")
                .text("since");
        String until = Instant.now().plus(Duration.ofDays(2)).toString();

        Answer longer = api.post(maintainer, memberPath + ":drain", "{\"until\": \"%s\"}".formatted(until));
        JsonNode during = status().path("drains");
        Answer ended = api.post(maintainer, memberPath + ":undrain", null);
        Answer again = api.post(maintainer, memberPath + ":undrain", null);

        assertThat(longer.text("since")).isEqualTo(since);
        assertThat(during.size()).isEqualTo(1);
        assertThat(during.at("/0/until").asString()).isEqualTo(longer.text("until"));
        assertThat(ended.status()).isEqualTo(204);
        assertThat(again.status()).isEqualTo(204);
        assertThat(status().path("drains").size()).isZero();
        assertThat(column("overlay_sequence", "load_balancers")).isEqualTo("3");
    }

    @Test
    void whatHasNoEndOrAWrongOneIsRefusedWithAPointer() {
        String past = Instant.now().minusSeconds(1).toString();
        String far = Instant.now().plus(Duration.ofDays(31)).toString();

        Map<String, String> pointers = Map.of(
                "{}",
                "",
                "{\"until\": \"%s\", \"duration_s\": 5}".formatted(far),
                "",
                "{\"until\": \"%s\"}".formatted(past),
                "/until",
                "{\"until\": \"%s\"}".formatted(far),
                "/until");
        pointers.forEach((body, pointer) -> {
            Answer answer = api.post(maintainer, memberPath + ":drain", body);

            assertThat(answer.status()).as(body).isEqualTo(422);
            assertThat(answer.pointers()).as(body).containsExactly(pointer);
        });
        assertThat(api.post(maintainer, memberPath + ":drain", "{\"duration_s\": 0}")
                        .status())
                .isEqualTo(400);
        assertThat(status().path("drains").size()).isZero();
    }

    @Test
    void aLoadBalancerIsShiftedAwayFromAPopAndBack() {
        Answer shifted =
                api.post(maintainer, path(":shift"), "{\"pop_ids\": [\"%s\"], \"duration_s\": 3600}".formatted(pop1));
        JsonNode during = status().path("shifts");
        Answer back = api.post(maintainer, path(":unshift"), "{\"pop_ids\": [\"%s\"]}".formatted(pop1));

        assertThat(shifted.status()).isEqualTo(200);
        assertThat(shifted.body().at("/shifts/0/pop_id").asString()).isEqualTo(pop1);
        assertThat(during).isEqualTo(shifted.body().path("shifts"));
        assertThat(back.status()).isEqualTo(200);
        assertThat(back.body().path("shifts").size()).isZero();
        assertThat(status().path("shifts").size()).isZero();
    }

    @Test
    void aShiftLeavesAtLeastOnePop() {
        String first = "{\"pop_ids\": [\"%s\"], \"duration_s\": 3600}".formatted(pop1);
        assertThat(api.post(maintainer, path(":shift"), first).status()).isEqualTo(200);

        Answer last =
                api.post(maintainer, path(":shift"), "{\"pop_ids\": [\"%s\"], \"duration_s\": 3600}".formatted(pop2));
        Answer foreign = api.post(
                maintainer, path(":shift"), "{\"pop_ids\": [\"%s\"], \"duration_s\": 3600}".formatted(elsewhere));

        assertThat(last.status()).isEqualTo(422);
        assertThat(last.body().at("/errors/0/code").asString()).isEqualTo("NO_POP_LEFT");
        assertThat(foreign.status()).isEqualTo(422);
        assertThat(foreign.pointers()).containsExactly("/pop_ids/0");
    }

    @Test
    void whatIsOverIsNotToldAnyMoreAlsoBeforeItsRowGoes() {
        api.post(maintainer, memberPath + ":drain", "{\"duration_s\": 3600}");

        api.execute(
                "update overlay_entries set ends_at = now() where load_balancer_id = '%s'".formatted(id.substring(3)));

        assertThat(status().path("drains").size()).isZero();
    }

    @Test
    void aDrainIsAuditedWithItsEnd() {
        Answer drain = api.post(maintainer, memberPath + ":drain", "{\"duration_s\": 60}");

        JsonNode event = api.get(acme.token(), acme.path("/audit-events?action=drainMember"))
                .body()
                .at("/items/0");

        assertThat(event.path("changes").toString()).contains("overlay_entry", "ends_at");
        assertThat(event.path("path").asString()).isEqualTo(memberPath + ":drain");
        assertThat(drain.status()).isEqualTo(200);
    }
}
