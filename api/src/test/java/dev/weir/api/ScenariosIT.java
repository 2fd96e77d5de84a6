// SPDX-License-Identifier: Apache-2.0
package dev.weir.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.api.RunningApi.Answer;
import dev.weir.api.RunningApi.TestProject;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;

/**
 * Every kind of part through its whole life in every variant: made, read, listed, changed and deleted, at each step by
 * those who may and by those who may not. The variants are those of the API tests of OpenStack's load balancer, as far as
 * they are of Layer 4.
 */
class ScenariosIT {
    private static final List<String> ALGORITHMS = List.of(
            "round_robin",
            "weighted_round_robin",
            "least_connections",
            "weighted_least_connections",
            "maglev",
            "source_ip_hash");

    private static RunningApi api;
    private static TestProject acme;
    private static TestProject globex;
    private static String viewer;
    private static String editor;

    @BeforeAll
    static void start() {
        api = RunningApi.get();
        acme = api.project("scenarios", "10.61.0.0/16", "2001:db8:61::/48");
        globex = api.project("scenarios-other", "10.61.0.0/16");
        viewer = robot("viewer");
        editor = robot("editor");
    }

    private static String robot(String role) {
        Answer account = RunningApi.created(api.post(
                acme.token(),
                acme.path("/service-accounts"),
                "{\"name\": \"%s\", \"role\": \"%s\"}".formatted(role, role)));
        return api.token(account.text("client_id"), account.text("client_secret"));
    }

    // The steps of a life
    // ------------------------------------------------------------------------------------------------

    private static Answer made(String collection, String body) {
        refused("POST", collection, body);
        Answer made = api.post(editor, collection, body);
        assertThat(made.status()).as("%s: %s", body, made.body()).isEqualTo(201);
        assertThat(made.header("etag")).isNotEmpty();
        assertThat(read(made.header("location"))).isEqualTo(made.body());
        return made;
    }

    private static Answer changed(String method, String path, String body) {
        refused(method, path, body);
        Answer changed = api.call(editor, method, path, body, Map.of());
        assertThat(changed.status()).as("%s: %s", body, changed.body()).isEqualTo(200);
        return changed;
    }

    private static void deleted(String path) {
        refused("DELETE", path, null);
        assertThat(api.delete(editor, path).status()).isEqualTo(204);
        assertThat(api.get(viewer, path).status()).isEqualTo(404);
        assertThat(api.delete(editor, path).status()).isEqualTo(404);
    }

    /** What any member of the project reads and nobody else. */
    private static JsonNode read(String path) {
        assertThat(api.call(null, "GET", path, null, Map.of()).status()).isEqualTo(401);
        assertThat(api.get(globex.token(), path).status()).isEqualTo(404);
        Answer read = api.get(viewer, path);
        assertThat(read.status()).isEqualTo(200);
        return read.body();
    }

    private static void refused(String method, String path, @Nullable String body) {
        assertThat(api.call(null, method, path, body, Map.of()).status()).isEqualTo(401);
        assertThat(api.call(viewer, method, path, body, Map.of()).status()).isEqualTo(403);
        assertThat(api.call(globex.token(), method, path, body, Map.of()).status())
                .isEqualTo(404);
    }

    private static List<String> names(JsonNode list) {
        return list.path("items")
                .valueStream()
                .map(item -> item.path("name").asString())
                .toList();
    }

    /** Path of a load balancer whose only pool is named {@code web}. */
    private static String loadBalancer(String pool) {
        return api.post(editor, acme.path("/load-balancers"), """
                        {"name": "%s", "listeners": [], "pools": [%s]}""".formatted(RunningApi.name("scenario"), pool))
                .header("location");
    }

    // Load balancers
    // ------------------------------------------------------------------------------------------------------

    @ParameterizedTest
    @CsvSource({"ipv4, 10.61.0.1", "ipv6, 2001:db8:61::1"})
    void loadBalancerLives(String family, String member) {
        if (family.equals("ipv4")) {
            api.addressPool();
        } else {
            RunningApi.created(api.post(
                    api.operatorToken(),
                    "/v1/address-pools",
                    "{\"name\": \"scenarios\", \"prefixes\": [\"2001:db8:6100::/64\"]}"));
        }
        Answer vip = made(acme.path("/vips"), "{\"address_family\": \"%s\"}".formatted(family));
        String name = RunningApi.name("scenario");

        Answer made = made(acme.path("/load-balancers"), """
                {"name": "%s", "description": "before", "labels": {"env": "test"}, "vip_ids": ["%s"],
                 "listeners": [{"name": "http", "protocol": "tcp", "port_ranges": [{"first": 80, "last": 80}],
                     "pool_name": "web"}],
                 "pools": [{"name": "web", "health_monitor": {"type": "tcp_connect"}, "members": [{"address": "%s"}]}]}""".formatted(name, vip.text("id"), member));
        String path = made.header("location");
        assertThat(made.body().at("/vips/0/address").asString()).isEqualTo(vip.text("address"));
        assertThat(names(read(acme.path("/load-balancers?name=" + name)))).containsExactly(name);
        Answer changed = changed("PATCH", path, """
                {"name": "%s-new", "description": "after", "labels": {"env": "production"}, "enabled": false}""".formatted(name));
        assertThat(changed.text("description")).isEqualTo("after");
        assertThat(changed.body().path("enabled").asBoolean()).isFalse();
        assertThat(changed.body().path("pools")).isEqualTo(made.body().path("pools"));
        for (String observed : List.of("/status", "/metrics", "/rollout", "/revisions")) {
            read(path + observed);
        }

        deleted(path);

        // All of it goes, but for the address.
        String listener = "/listeners/" + made.body().at("/listeners/0/id").asString();
        String pool = "/pools/" + made.body().at("/pools/0/id").asString();
        for (String part : List.of(listener, pool, pool + "/members", pool + "/health-monitor")) {
            assertThat(api.get(viewer, path + part).status()).isEqualTo(404);
        }
        assertThat(api.query("""
                select count(*) from pools p join members m on m.pool_id = p.id
                where p.load_balancer_id = '%s'""".formatted(made.text("id").substring(3)))).isEqualTo("0");
        assertThat(read(vip.header("location")).path("load_balancer_id").isNull())
                .isTrue();
    }

    // Listeners
    // -----------------------------------------------------------------------------------------------------------

    @ParameterizedTest
    @CsvSource({"tcp, udp, false", "tcp, udp, true", "udp, tcp, false", "udp, tcp, true"})
    void listenerLives(String protocol, String other, boolean withAllowedCidrs) {
        String load = loadBalancer("{\"name\": \"web\", \"members\": [{\"address\": \"10.61.0.1\"}]}");
        String listeners = load + "/listeners";
        String body = """
                {"name": "%s", "protocol": "%s", "port_ranges": [{"first": 80, "last": 80}], "pool_name": "web"%s}""";
        String cidrs = withAllowedCidrs ? ", \"allowed_cidrs\": [\"192.0.2.0/24\", \"2001:db8::/32\"]" : "";

        Answer made = made(listeners, body.formatted("first", protocol, cidrs));
        Answer taken = api.post(editor, listeners, body.formatted("second", protocol, cidrs));
        Answer samePort = made(listeners, body.formatted("second", other, cidrs));

        assertThat(taken.status()).isEqualTo(422);
        assertThat(taken.body().at("/errors/0/code").asString()).isEqualTo("PORT_RANGE_OVERLAP");
        assertThat(made.body().path("allowed_cidrs").size()).isEqualTo(withAllowedCidrs ? 2 : 0);
        assertThat(names(read(listeners))).containsExactly("first", "second");
        assertThat(names(read(listeners + "?name=second"))).containsExactly("second");
        JsonNode page = read(listeners + "?limit=1");
        assertThat(names(read(listeners + "?limit=1&cursor="
                        + page.path("next_cursor").asString())))
                .containsExactly("second");
        Answer changed = changed("PATCH", made.header("location"), """
                {"name": "renamed", "idle_timeout_s": 45, "enabled": false, "allowed_cidrs": ["198.51.100.0/24"],
                 "port_ranges": [{"first": 81, "last": 90}], "source_persistence": {"timeout_s": 60}}""");
        assertThat(changed.text("name")).isEqualTo("renamed");
        assertThat(changed.body().path("idle_timeout_s").asInt()).isEqualTo(45);
        assertThat(changed.body().at("/allowed_cidrs/0").asString()).isEqualTo("198.51.100.0/24");
        assertThat(changed.body().at("/port_ranges/0/last").asInt()).isEqualTo(90);
        assertThat(changed.body().at("/source_persistence/timeout_s").asInt()).isEqualTo(60);
        read(load + "/metrics");
        deleted(made.header("location"));
        assertThat(read(samePort.header("location"))).isEqualTo(samePort.body());
    }

    // Pools
    // ---------------------------------------------------------------------------------------------------------------

    static Stream<Arguments> pools() {
        return ALGORITHMS.stream()
                .flatMap(algorithm -> Stream.of("without a listener", "tcp", "udp", "tcp with PROXY v2")
                        .map(listener -> Arguments.of(algorithm, listener)));
    }

    @ParameterizedTest
    @MethodSource("pools")
    void poolLives(String algorithm, String listener) {
        String load = loadBalancer("{\"name\": \"web\", \"members\": []}");
        Answer made = made(load + "/pools", """
                {"name": "api", "algorithm": "%s", "proxy_protocol_v2": %s,
                 "members": [{"address": "10.61.0.1"}, {"address": "10.61.0.2", "weight": 0}]}""".formatted(algorithm, listener.contains("PROXY")));
        String path = made.header("location");

        assertThat(made.text("algorithm")).isEqualTo(algorithm);
        assertThat(names(read(load + "/pools"))).containsExactly("web", "api");
        assertThat(names(read(load + "/pools?name=api"))).containsExactly("api");
        if (!listener.startsWith("without")) {
            Answer uses = made(load + "/listeners", """
                    {"name": "in", "protocol": "%s", "port_ranges": [{"first": 80, "last": 80}], "pool_id": "%s",
                     "source_persistence": {"timeout_s": 60}}""".formatted(listener.substring(0, 3), made.text("id")));
            assertThat(uses.text("pool_name")).isEqualTo("api");
            assertThat(api.delete(editor, path).text("code")).isEqualTo("RESOURCE_IN_USE");
            deleted(uses.header("location"));
        }
        String next = ALGORITHMS.get((ALGORITHMS.indexOf(algorithm) + 1) % ALGORITHMS.size());
        Answer changed = changed("PATCH", path, """
                {"name": "renamed", "algorithm": "%s", "drain_timeout_s": 7, "minimum_healthy": 2}""".formatted(next));
        assertThat(changed.text("name")).isEqualTo("renamed");
        assertThat(changed.text("algorithm")).isEqualTo(next);
        assertThat(changed.body().path("members")).isEqualTo(made.body().path("members"));
        deleted(path);
    }

    // Members
    // -------------------------------------------------------------------------------------------------------------

    static Stream<Arguments> members() {
        return ALGORITHMS.stream()
                .flatMap(algorithm -> Stream.of("10.61.0.", "2001:db8:61::")
                        .flatMap(family -> Stream.of("backup", "monitored elsewhere")
                                .map(variant -> Arguments.of(algorithm, family, variant))));
    }

    @ParameterizedTest
    @MethodSource("members")
    void memberLives(String algorithm, String family, String variant) {
        String monitor = variant.startsWith("monitored")
                ? ", \"health_monitor\": {\"type\": \"tcp_connect\", \"port\": 8081}"
                : "";
        String load = loadBalancer(
                "{\"name\": \"web\", \"algorithm\": \"%s\", \"members\": []%s}".formatted(algorithm, monitor));
        String pool = load + "/pools/" + read(load).at("/pools/0/id").asString();
        String members = pool + "/members";
        int priority = variant.equals("backup") ? 1 : 0;

        Answer made = made(members, """
                {"name": "one", "address": "%s1", "port": {"kind": "fixed", "value": 8080}, "weight": 7,
                 "priority": %d}""".formatted(family, priority));
        Answer again = api.post(editor, members, """
                {"name": "other", "address": "%s1", "port": {"kind": "fixed", "value": 8080}}""".formatted(family));
        made(
                members,
                "{\"name\": \"two\", \"address\": \"%s1\", \"port\": {\"kind\": \"fixed\", \"value\": 8082}}"
                        .formatted(family));

        assertThat(again.status()).isEqualTo(422);
        assertThat(made.body().path("priority").asInt()).isEqualTo(priority);
        assertThat(names(read(members))).containsExactly("one", "two");
        Answer changed = changed("PATCH", made.header("location"), """
                {"name": "renamed", "weight": 0, "enabled": false, "priority": 3}""");
        assertThat(changed.text("name")).isEqualTo("renamed");
        assertThat(changed.body().path("weight").asInt()).isZero();
        assertThat(changed.text("address")).isEqualTo(family + "1");
        // The first is kept and changed, the second goes, a third comes.
        Answer batch = changed("PUT", members, """
                {"members": [
                    {"name": "renamed", "address": "%s1", "port": {"kind": "fixed", "value": 8080}, "weight": 256},
                    {"name": "three", "address": "%s3"}]}""".formatted(family, family));
        assertThat(batch.body().at("/members/0/id").asString()).isEqualTo(made.text("id"));
        assertThat(batch.body().at("/members/0/weight").asInt()).isEqualTo(256);
        assertThat(names(read(members))).containsExactly("renamed", "three");
        deleted(made.header("location"));
        assertThat(changed("PUT", members, "{\"members\": []}")
                        .body()
                        .path("members")
                        .size())
                .isZero();
    }

    // Health monitors
    // -----------------------------------------------------------------------------------------------------

    static Stream<Arguments> monitors() {
        return ALGORITHMS.stream()
                .flatMap(algorithm -> Stream.of(
                                "\"type\": \"tcp_connect\"", "\"type\": \"udp\", \"udp_send\": \"cGluZw==\"")
                        .map(type -> Arguments.of(algorithm, type)));
    }

    @ParameterizedTest
    @MethodSource("monitors")
    void healthMonitorLives(String algorithm, String type) {
        String load = loadBalancer("""
                {"name": "web", "algorithm": "%s", "members": [{"address": "10.61.0.1", "port": {"kind": "fixed", "value": 80}}]}""".formatted(algorithm));
        String path = load + "/pools/" + read(load).at("/pools/0/id").asString() + "/health-monitor";

        Answer made = changed("PUT", path, "{%s}".formatted(type));
        Answer changed =
                changed("PUT", path, "{%s, \"interval_ms\": 700, \"timeout_ms\": 600, \"rise\": 4}".formatted(type));

        assertThat(made.body().path("interval_ms").asInt()).isEqualTo(2000);
        assertThat(changed.text("id")).isEqualTo(made.text("id"));
        assertThat(read(path)).isEqualTo(changed.body());
        deleted(path);
    }

    // Under load
    // ----------------------------------------------------------------------------------------------------------

    @Test
    void readersSeeWholeTreesWhileWritersReplaceThem() throws Exception {
        String path = loadBalancer("{\"name\": \"web\", \"members\": []}");
        AtomicBoolean over = new AtomicBoolean();
        List<Set<Integer>> seen = new ArrayList<>();
        try (ExecutorService threads = Executors.newFixedThreadPool(5)) {
            List<Future<List<Set<Integer>>>> readers = IntStream.range(0, 3)
                    .mapToObj(reader -> threads.submit(() -> weights(path, over)))
                    .toList();
            List<Future<?>> writers = new ArrayList<>();
            for (int writer = 0; writer < 2; writer++) {
                int first = 1 + writer * 100;
                writers.add(threads.submit(() -> {
                    for (int weight = first; weight < first + 15; weight++) {
                        Answer put =
                                api.call(editor, "PUT", path + "/tree", tree(path, weight), Map.of("If-Match", "*"));
                        assertThat(put.status()).isEqualTo(200);
                    }
                }));
            }
            try {
                for (Future<?> writer : writers) {
                    writer.get();
                }
            } finally {
                over.set(true);
            }
            for (Future<List<Set<Integer>>> reader : readers) {
                seen.addAll(reader.get());
            }
        }

        assertThat(seen).allMatch(weights -> weights.size() <= 1);
        assertThat(seen.stream().distinct().count()).as("trees that were seen").isGreaterThan(3);
        assertThat(read(path).path("generation").asInt()).isEqualTo(1 + 30);
    }

    private static String tree(String path, int weight) {
        return """
                {"name": "whole-%s", "listeners": [], "pools": [{"name": "web", "members": [%s]}]}""".formatted(
                        path.substring(path.length() - 8),
                        IntStream.rangeClosed(1, 10)
                                .mapToObj(n -> "{\"address\": \"10.61.1.%d\", \"weight\": %d}".formatted(n, weight))
                                .collect(Collectors.joining(",")));
    }

    /** The different weights of a tree's members, for each time that it was read. */
    private static List<Set<Integer>> weights(String path, AtomicBoolean over) {
        List<Set<Integer>> seen = new ArrayList<>();
        while (!over.get()) {
            seen.add(api.get(viewer, path)
                    .body()
                    .at("/pools/0/members")
                    .valueStream()
                    .map(member -> member.path("weight").asInt())
                    .collect(Collectors.toSet()));
        }
        return seen;
    }
}
