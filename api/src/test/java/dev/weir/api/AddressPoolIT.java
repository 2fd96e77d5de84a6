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

/** Address pools that are changed and deleted while tenants reserve addresses of them. */
class AddressPoolIT {
    private static RunningApi api;
    private static String operator;
    private static TestProject acme;

    @BeforeAll
    static void start() {
        api = RunningApi.get();
        operator = api.operatorToken();
        acme = api.project("pool-acme", "10.59.0.0/24");
    }

    private static Answer pool(String prefix) {
        return RunningApi.created(
                api.post(operator, "/v1/address-pools", """
                {"name": "%s", "prefixes": ["%s"]}""".formatted(RunningApi.name("pool"), prefix)));
    }

    private static String path(Answer pool) {
        return "/v1/address-pools/" + pool.text("id");
    }

    private static Answer prefixes(Answer pool, String... prefixes) {
        return api.patch(operator, path(pool), "{\"prefixes\": [\"%s\"]}".formatted(String.join("\", \"", prefixes)));
    }

    private static Answer reserve(Answer pool) {
        return api.post(acme.token(), acme.path("/vips"), "{\"address_pool_id\": \"%s\"}".formatted(pool.text("id")));
    }

    @Test
    void poolGrowsAndIsRenamedUnderItsTag() {
        Answer pool = pool("100.126.0.0/31");
        reserve(pool);
        reserve(pool);
        String tag = api.get(operator, path(pool)).header("etag");
        String name = RunningApi.name("renamed");

        Answer grown = api.call(operator, "PATCH", path(pool), """
                {"name": "%s", "prefixes": ["100.126.0.0/31", "2001:db8:126::/64", "100.126.0.8/31"]}""".formatted(name), Map.of("If-Match", tag));
        Answer stale = api.call(operator, "PATCH", path(pool), "{}", Map.of("If-Match", tag));

        assertThat(grown.status()).isEqualTo(200);
        assertThat(grown.text("name")).isEqualTo(name);
        assertThat(grown.body().path("prefixes").size()).isEqualTo(3);
        assertThat(grown.header("etag")).isNotEqualTo(tag);
        assertThat(stale.status()).isEqualTo(412);
        assertThat(reserve(pool).text("address")).isEqualTo("100.126.0.8");
    }

    @Test
    void prefixIsKeptForAsLongAsItsAddressesAreHeld() {
        Answer pool = pool("100.126.1.0/29");
        Answer vip = RunningApi.created(reserve(pool));

        Answer used = prefixes(pool, "100.126.1.8/29");
        Answer usedAll = api.delete(operator, path(pool));
        api.delete(acme.token(), acme.path("/vips/" + vip.text("id")));
        Answer held = prefixes(pool, "100.126.1.8/29");
        api.execute("update address_leases set quarantined_until = now() - interval '1 second' where address = '%s'"
                .formatted(vip.text("address")));
        Answer widened = prefixes(pool, "100.126.1.8/29");

        assertThat(List.of(used, usedAll, held)).allSatisfy(refused -> {
            assertThat(refused.status()).isEqualTo(409);
            assertThat(refused.text("code")).isEqualTo("RESOURCE_IN_USE");
            assertThat(refused.body().at("/errors/0/detail").asString()).contains(vip.text("address"), vip.text("id"));
        });
        assertThat(widened.status()).isEqualTo(200);
        assertThat(reserve(pool).text("address")).startsWith("100.126.1.");
    }

    @Test
    void addressesThatArePartOfAnotherPrefixNowAreKept() {
        Answer pool = pool("100.126.2.0/29");
        Answer vip = RunningApi.created(reserve(pool));

        assertThat(prefixes(pool, "100.126.2.0/28").status()).isEqualTo(200);
        assertThat(prefixes(pool, "100.126.2.0/30", "100.126.2.8/29").status()).isEqualTo(200);

        assertThat(api.get(acme.token(), acme.path("/vips/" + vip.text("id"))).text("address"))
                .isEqualTo(vip.text("address"));
    }

    @Test
    void unusablePrefixesAreRefused() {
        Answer pool = pool("100.126.3.0/29");
        pool("100.126.3.64/29");

        Answer bits = prefixes(pool, "100.126.3.1/29");
        Answer overlap = prefixes(pool, "100.126.3.0/25");
        Answer none = api.patch(operator, path(pool), "{\"prefixes\": []}");

        assertThat(bits.status()).isEqualTo(422);
        assertThat(bits.body().at("/errors/0/pointer").asString()).isEqualTo("/prefixes/0");
        assertThat(overlap.status()).isEqualTo(409);
        assertThat(overlap.text("code")).isEqualTo("NETWORK_OVERLAP");
        assertThat(none.status()).isEqualTo(400);
    }

    @Test
    void validatedChangeIsNotMadeAndDeletedPoolIsGone() {
        Answer pool = pool("100.126.4.0/29");

        Answer validated =
                api.patch(operator, path(pool) + "?validate_only=true", "{\"prefixes\": [\"100.126.4.8/29\"]}");

        assertThat(validated.body().at("/prefixes/0").asString()).isEqualTo("100.126.4.8/29");
        assertThat(api.get(operator, path(pool)).body().at("/prefixes/0").asString())
                .isEqualTo("100.126.4.0/29");
        assertThat(api.patch(acme.token(), path(pool), "{}").status()).isEqualTo(403);
        assertThat(api.delete(operator, path(pool)).status()).isEqualTo(204);
        assertThat(api.get(operator, path(pool)).status()).isEqualTo(404);
        assertThat(reserve(pool).status()).isIn(409, 422);
        pool("100.126.4.0/29");
    }

    /** What a reservation finds may be taken away before it leases. */
    @Test
    void nobodyGetsAnAddressOfAPrefixThatGoesMeanwhile() throws InterruptedException, ExecutionException {
        for (int round = 0; round < 10; round++) {
            Answer pool = pool("100.126.%d.0/28".formatted(16 + round));
            List<Future<Answer>> calls = new ArrayList<>();
            Answer moved;
            try (ExecutorService threads = Executors.newFixedThreadPool(6)) {
                for (int i = 0; i < 6; i++) {
                    calls.add(threads.submit(() -> reserve(pool)));
                }
                moved = prefixes(pool, "100.126.%d.16/28".formatted(16 + round));
            }
            for (Future<Answer> call : calls) {
                assertThat(call.get().status()).isEqualTo(201);
            }
            assertThat(moved.status()).isIn(200, 409);
            assertThat(api.query("""
                            select count(*) from address_leases l where l.address_pool_id = '%s' and not exists (
                                select from address_pool_prefixes p
                                where p.address_pool_id = l.address_pool_id and l.address <<= p.prefix)""".formatted(pool.text("id").substring(6)))).isEqualTo("0");
        }
    }
}
