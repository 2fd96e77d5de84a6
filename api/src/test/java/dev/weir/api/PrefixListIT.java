// SPDX-License-Identifier: Apache-2.0
package dev.weir.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.api.RunningApi.Answer;
import dev.weir.api.RunningApi.TestProject;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class PrefixListIT {
    private static RunningApi api;
    private static TestProject acme;

    @BeforeAll
    static void start() {
        api = RunningApi.get();
        acme = api.project("prefixes", "10.56.0.0/24");
    }

    private static Answer create(String name, String cidrs) {
        return api.post(
                acme.token(), acme.path("/prefix-lists"), "{\"name\": \"%s\", \"cidrs\": [%s]}".formatted(name, cidrs));
    }

    private static String path(Answer list) {
        return acme.path("/prefix-lists/" + list.text("id"));
    }

    @Test
    void entriesAreKeptSortedAndHashedByContent() {
        Answer one = create("one", "\"2001:DB8::/32\", \"198.51.100.0/24\", \"192.0.2.0/24\", \"192.0.2.0/24\"");
        Answer two = create("two", "\"192.0.2.0/24\", \"198.51.100.0/24\", \"2001:db8::/32\"");

        assertThat(one.status()).isEqualTo(201);
        assertThat(one.body().path("cidrs").valueStream().map(cidr -> cidr.asString()))
                .containsExactly("192.0.2.0/24", "198.51.100.0/24", "2001:db8::/32");
        assertThat(one.body().path("cidr_count").asInt()).isEqualTo(3);
        assertThat(one.text("content_sha256")).isEqualTo(two.text("content_sha256"));
        assertThat(api.get(acme.token(), path(one)).body()).isEqualTo(one.body());
        assertThat(api.query("select kind from outbox where key = '%s'"
                        .formatted(one.text("id").substring(4))))
                .isEqualTo("prefix_list");
    }

    @Test
    void everyFaultIsTold() {
        Answer refused = create("faulty", "\"192.0.2.1/24\", \"10.0.0.0/8\", \"nonsense\"");

        assertThat(refused.status()).isEqualTo(422);
        assertThat(refused.pointers()).containsExactly("/cidrs/0", "/cidrs/2");
    }

    @Test
    void listInUseNamesItsUsers() {
        Answer list = create("used", "\"192.0.2.0/24\"");
        Answer web = RunningApi.created(
                api.post(acme.token(), acme.path("/load-balancers"), """
                {"name": "user",
                 "listeners": [{"name": "http", "protocol": "tcp", "port_ranges": [{"first": 80, "last": 80}],
                     "pool_name": "web", "allowed_prefix_list_ids": ["%s"]}],
                 "pools": [{"name": "web", "members": []}]}""".formatted(list.text("id"))));

        Answer inUse = api.delete(acme.token(), path(list));
        api.patch(
                acme.token(),
                acme.path("/load-balancers/" + web.text("id") + "/listeners/"
                        + web.body().at("/listeners/0/id").asString()),
                "{\"allowed_prefix_list_ids\": []}");
        Answer deleted = api.delete(acme.token(), path(list));

        assertThat(inUse.status()).isEqualTo(409);
        assertThat(inUse.text("code")).isEqualTo("RESOURCE_IN_USE");
        assertThat(inUse.body().at("/errors/0/detail").asString()).contains(web.text("id"), "http");
        assertThat(deleted.status()).isEqualTo(204);
        assertThat(api.get(acme.token(), path(list)).status()).isEqualTo(404);
    }

    @Test
    void listOfAnotherProjectIsNone() {
        Answer list = create("foreign", "\"192.0.2.0/24\"");
        TestProject globex = api.project("prefixes-other", "10.56.0.0/24");

        Answer refused = api.post(globex.token(), globex.path("/load-balancers"), """
                {"name": "thief",
                 "listeners": [{"name": "http", "protocol": "tcp", "port_ranges": [{"first": 80, "last": 80}],
                     "pool_name": "web", "denied_prefix_list_ids": ["%s"]}],
                 "pools": [{"name": "web", "members": []}]}""".formatted(list.text("id")));

        assertThat(refused.status()).isEqualTo(422);
        assertThat(refused.pointers()).containsExactly("/listeners/0/denied_prefix_list_ids/0");
    }

    @Test
    void hundredThousandEntriesAreOneList() {
        String cidrs = IntStream.range(0, 100_000)
                .mapToObj(i -> "\"2001:db8:%x:%x::/64\"".formatted(i >> 16, i & 0xffff))
                .collect(Collectors.joining(","));

        Answer created = create("large", cidrs);
        Answer changed = api.call(
                acme.token(),
                "PATCH",
                path(created),
                "{\"description\": \"all of them\"}",
                Map.of("If-Match", "\"1\""));

        assertThat(created.status()).isEqualTo(201);
        assertThat(created.body().path("cidr_count").asInt()).isEqualTo(100_000);
        assertThat(changed.text("content_sha256")).isEqualTo(created.text("content_sha256"));
        assertThat(changed.header("etag")).isEqualTo("\"2\"");
    }
}
