// SPDX-License-Identifier: Apache-2.0
package dev.weir.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.api.RunningApi.Answer;
import dev.weir.api.RunningApi.TestProject;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class EventIT {
    private static final HttpClient HTTP = HttpClient.newHttpClient();

    private static RunningApi api;
    private static TestProject acme;

    @BeforeAll
    static void start() {
        api = RunningApi.get();
        acme = api.project("eventful", "10.50.0.0/24");
    }

    private static String webBody(String vip) {
        return """
                {"name": "%s", "vip_ids": ["%s"],
                 "listeners": [{"name": "http", "protocol": "tcp", "port_ranges": [{"first": 80, "last": 80}],
                     "pool_name": "web"}],
                 "pools": [{"name": "web", "forwarding_mode": "snat", "members": [{"address": "10.50.0.1"}]}]}""".formatted(RunningApi.name("web"), vip);
    }

    private static List<String> kinds(TestProject project, String query) {
        return api.get(project.token(), project.path("/events" + query))
                .body()
                .path("items")
                .valueStream()
                .map(item -> item.path("kind").asString())
                .toList();
    }

    /** An event is told once no older transaction is open, which may be anybody's. */
    private static void awaitKinds(String query, String... expected) throws InterruptedException {
        Instant end = Instant.now().plus(Duration.ofSeconds(10));
        while (!kinds(acme, query).equals(List.of(expected)) && Instant.now().isBefore(end)) {
            Thread.sleep(Duration.ofMillis(50));
        }
        assertThat(kinds(acme, query)).containsExactly(expected);
    }

    private static String awaitNewest(TestProject project) throws InterruptedException {
        Instant end = Instant.now().plus(Duration.ofSeconds(10));
        while (kinds(project, "").isEmpty() && Instant.now().isBefore(end)) {
            Thread.sleep(Duration.ofMillis(50));
        }
        return api.get(project.token(), project.path("/events"))
                .body()
                .at("/items/0/id")
                .asString();
    }

    @Test
    void whatHappensToALoadBalancerIsToldNewestFirst() throws InterruptedException {
        String vip = RunningApi.created(api.post(
                        acme.token(), acme.path("/vips"), """
                {"name": "%s", "address_pool_id": "%s"}""".formatted(RunningApi.name("www"), api.addressPool())))
                .text("id");
        Answer web = RunningApi.created(api.post(acme.token(), acme.path("/load-balancers"), webBody(vip)));
        String path = acme.path("/load-balancers/" + web.text("id"));
        String member = web.body().at("/pools/0/members/0/id").asString();
        String memberPath = path + "/pools/" + web.body().at("/pools/0/id").asString() + "/members/" + member;
        api.post(acme.token(), memberPath + ":drain", "{\"duration_s\": 60}");
        api.post(acme.token(), memberPath + ":undrain", null);
        api.patch(acme.token(), path, "{\"enabled\": false}");
        api.execute("""
                insert into load_balancer_status (project_id, load_balancer_id, observed_generation)
                values ('%s', '%s', 2)""".formatted(acme.projectId().substring(4), web.text("id").substring(3)));
        api.delete(acme.token(), path);

        awaitKinds(
                "?resource=" + web.text("id"),
                "load_balancer_deleted",
                "vip_detached",
                "rollout_applied",
                "load_balancer_updated",
                "drain_ended",
                "drain_begun",
                "vip_attached",
                "load_balancer_created");
        awaitKinds("?resource=" + member, "drain_ended", "drain_begun");
        awaitKinds("?kind=vip_created&resource=" + vip, "vip_created");
    }

    @Test
    void pagesGoOnWhereTheOneBeforeEnded() throws InterruptedException {
        TestProject project = api.project("paged", "10.50.0.0/24");
        for (int i = 0; i < 5; i++) {
            write(project, i, false);
        }
        Instant end = Instant.now().plus(Duration.ofSeconds(10));
        while (kinds(project, "").size() < 5 && Instant.now().isBefore(end)) {
            Thread.sleep(Duration.ofMillis(50));
        }
        List<String> told = new ArrayList<>();
        String cursor = "";
        do {
            Answer page = api.get(project.token(), project.path("/events?limit=2" + cursor));
            page.body()
                    .path("items")
                    .forEach(item -> told.add(item.at("/details/n").asString()));
            cursor = page.body().has("next_cursor") ? "&cursor=" + page.text("next_cursor") : "";
        } while (!cursor.isEmpty());

        assertThat(told).containsExactly("4", "3", "2", "1", "0");
    }

    /** An event of a transaction that ends some time after it began. */
    private static void write(TestProject project, int number, boolean slowly) {
        try (Connection connection = api.postgres().connect("weir", "weir_owner");
                var statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            statement.execute("""
                    insert into events (project_id, resource, kind, body)
                    values ('%s', 'vip_%032x', 'vip_created', '{"n": "%d"}')""".formatted(project.projectId().substring(4), number, number));
            if (slowly) {
                statement.execute("select pg_sleep(%s)".formatted(new Random(number).nextDouble() / 5));
            }
            connection.commit();
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void nothingIsLostOrDoubledOverReconnectionsWhileManyWrite() throws Exception {
        TestProject project = api.project("followed", "10.50.0.0/24");
        int writers = 8;
        int each = 25;
        List<String> expected = new ArrayList<>();
        List<String> told = new ArrayList<>();
        try (ExecutorService pool = Executors.newFixedThreadPool(writers)) {
            // Begins at an event, so that what is written before the stream opens counts too.
            write(project, 999, false);
            String last = awaitNewest(project);
            List<Future<?>> running = new ArrayList<>();
            for (int w = 0; w < writers; w++) {
                int first = w * each;
                for (int n = 0; n < each; n++) {
                    expected.add(Integer.toString(first + n));
                }
                running.add(pool.submit((Callable<Void>) () -> {
                    for (int n = 0; n < each; n++) {
                        write(project, first + n, true);
                    }
                    return null;
                }));
            }
            while (told.size() < expected.size()) {
                last = read(project, last, 30, expected.size() - told.size(), told);
            }
            for (Future<?> one : running) {
                one.get();
            }
        }

        assertThat(told).containsExactlyInAnyOrderElementsOf(expected);
    }

    /** Reads so many events, then hangs up. @return the last id that was seen */
    private static String read(TestProject project, String last, int atMost, int left, List<String> told)
            throws IOException, InterruptedException {
        HttpResponse<InputStream> stream = follow(project, last);
        assertThat(stream.statusCode()).isEqualTo(200);
        String seen = last;
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(stream.body(), StandardCharsets.UTF_8))) {
            String id = last;
            for (int count = 0; count < Math.min(atMost, left); ) {
                String line = lines.readLine();
                if (line == null) {
                    break;
                }
                if (line.startsWith("id: ")) {
                    id = line.substring(4);
                } else if (line.startsWith("data: ")) {
                    JsonNode event = JsonMapper.shared().readTree(line.substring(6));
                    assertThat(event.path("id").asString()).isEqualTo(id);
                    told.add(event.at("/details/n").asString());
                    seen = id;
                    count++;
                }
            }
        }
        return seen;
    }

    private static HttpResponse<InputStream> follow(TestProject project, @Nullable String last)
            throws IOException, InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder(
                        URI.create(api.url() + project.path("/events?follow=true")))
                .timeout(Duration.ofSeconds(30))
                .header("Authorization", "Bearer " + project.token())
                .header("Accept", "text/event-stream");
        if (last != null) {
            request.header("Last-Event-ID", last);
        }
        return HTTP.send(request.build(), BodyHandlers.ofInputStream());
    }

    @Test
    void aCredentialHasFiveStreamsAtOnce() throws Exception {
        TestProject project = api.project("crowded", "10.50.0.0/24");
        List<InputStream> open = new ArrayList<>();
        try {
            for (int i = 0; i < 5; i++) {
                HttpResponse<InputStream> stream = follow(project, null);
                assertThat(stream.statusCode()).isEqualTo(200);
                open.add(stream.body());
            }

            assertThat(follow(project, null).statusCode()).isEqualTo(429);
        } finally {
            for (InputStream stream : open) {
                stream.close();
            }
        }
    }

    @Test
    void anotherProjectsEventIsNoPlaceToGoOnFrom() throws Exception {
        TestProject other = api.project("other", "10.50.0.0/24");
        write(acme, 1, false);
        String theirs = awaitNewest(acme);

        assertThat(follow(other, theirs).statusCode()).isEqualTo(400);
        assertThat(api.get(other.token(), other.path("/events?cursor=" + theirs))
                        .status())
                .isEqualTo(400);
    }
}
