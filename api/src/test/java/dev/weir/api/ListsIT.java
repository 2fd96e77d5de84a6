// SPDX-License-Identifier: Apache-2.0
package dev.weir.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.api.RunningApi.Answer;
import dev.weir.api.RunningApi.TestProject;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Lists that are filtered, sorted and read page by page while others write. */
class ListsIT {
    private static RunningApi api;
    private static TestProject acme;

    @BeforeAll
    static void start() {
        api = RunningApi.get();
        acme = api.project("lists", "10.59.0.0/24");
        make(acme, "delta", "{\"env\": \"test\"}", true);
        make(acme, "alpha", "{\"env\": \"production\", \"team\": \"web shop\"}", true);
        make(acme, "charlie", "{}", false);
        make(acme, "bravo", "{\"env\": \"production\"}", false);
    }

    private static void make(TestProject project, String name, String labels, boolean enabled) {
        RunningApi.created(
                api.post(project.token(), project.path("/load-balancers"), """
                {"name": "%s", "labels": %s, "enabled": %s, "listeners": [], "pools": []}""".formatted(name, labels, enabled)));
    }

    private static Answer list(TestProject project, String... query) {
        StringBuilder path = new StringBuilder(project.path("/load-balancers?"));
        for (int i = 0; i < query.length; i += 2) {
            path.append(query[i])
                    .append('=')
                    .append(URLEncoder.encode(query[i + 1], StandardCharsets.UTF_8))
                    .append('&');
        }
        return api.get(project.token(), path.toString());
    }

    private static List<String> names(Answer page) {
        return page.body()
                .path("items")
                .valueStream()
                .map(item -> item.path("name").asString())
                .toList();
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(
            quoteCharacter = '\'',
            value = {
                "name = alpha, alpha",
                "enabled = true, delta alpha",
                "enabled = false AND labels.env = production, bravo",
                "labels.env != production, delta charlie",
                "labels.team = \"web shop\", alpha",
                "labels.team : SHOP, alpha",
                "name:a, delta alpha charlie bravo",
                "name >= bravo AND name < delta, charlie bravo",
                "generation <= 1 AND created_at > 2020-01-01T00:00:00Z AND name != delta, alpha charlie bravo",
            })
    void filterKeepsWhatMeetsAllConditions(String filter, String expected) {
        assertThat(names(list(acme, "filter", filter))).containsExactly(expected.split(" "));
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource({
        "nmae = alpha, 1, there is no field",
        "name alpha, 6, expected one of",
        "name = , 8, expected a value",
        "name = alpha OR name = bravo, 14, expected AND",
        "enabled = yes, 11, expected true or false",
        "enabled > true, 9, only",
        "created_at > yesterday, 14, expected a time",
        "generation : 1, 12, only texts",
        "name = \"alpha, 8, not closed",
    })
    void errorPointsAtTheCharacter(String filter, int character, String detail) {
        Answer refused = list(acme, "filter", filter.endsWith("=") ? filter + " " : filter);

        assertThat(refused.status()).isEqualTo(400);
        assertThat(refused.pointers()).containsExactly("query/filter");
        assertThat(refused.body().at("/errors/0/detail").asString())
                .contains("character %d:".formatted(character), detail);
    }

    @Test
    void orderIsKeptOverPages() {
        Answer first = list(acme, "order_by", "name desc", "limit", "3");
        Answer second = list(acme, "order_by", "name desc", "limit", "3", "cursor", first.text("next_cursor"));
        Answer otherOrder = list(acme, "order_by", "name", "cursor", first.text("next_cursor"));
        Answer unknown = list(acme, "order_by", "colour");

        assertThat(names(first)).containsExactly("delta", "charlie", "bravo");
        assertThat(names(second)).containsExactly("alpha");
        assertThat(second.body().has("next_cursor")).isFalse();
        assertThat(otherOrder.pointers()).containsExactly("query/cursor");
        assertThat(unknown.pointers()).containsExactly("query/order_by");
    }

    @Test
    void whatIsInsertedMeanwhileMovesNothingThatWasSeen() {
        TestProject project = api.project("lists-moving", "10.59.0.0/24");
        for (String name : List.of("b", "d", "f", "h")) {
            make(project, name, "{}", true);
        }
        List<String> seen = new ArrayList<>();

        Answer page = list(project, "order_by", "name", "limit", "2");
        seen.addAll(names(page));
        // Before and after the cursor.
        make(project, "a", "{}", true);
        make(project, "e", "{}", true);
        while (page.body().has("next_cursor")) {
            page = list(project, "order_by", "name", "limit", "2", "cursor", page.text("next_cursor"));
            seen.addAll(names(page));
        }

        assertThat(seen).containsExactly("b", "d", "e", "f", "h");
    }

    @Test
    void vipsAndPrefixListsAreFilteredToo() {
        String pool = api.addressPool();
        Answer vip = RunningApi.created(
                api.post(acme.token(), acme.path("/vips"), "{\"address_pool_id\": \"%s\"}".formatted(pool)));
        RunningApi.created(api.post(
                acme.token(), acme.path("/prefix-lists"), "{\"name\": \"long\", \"cidrs\": [\"10.0.0.0/8\"]}"));

        Answer vips = api.get(acme.token(), acme.path("/vips?filter=address%20=%20" + vip.text("address")));
        Answer wrong = api.get(acme.token(), acme.path("/vips?filter=address%20=%201.2"));
        Answer lists = api.get(acme.token(), acme.path("/prefix-lists?filter=cidr_count%20%3E%200&order_by=name"));

        assertThat(vips.body().path("items").size()).isEqualTo(1);
        assertThat(wrong.status()).isEqualTo(400);
        assertThat(lists.body().at("/items/0/name").asString()).isEqualTo("long");
    }
}
