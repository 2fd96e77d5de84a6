// SPDX-License-Identifier: Apache-2.0
package dev.weir.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.api.RunningApi.Answer;
import dev.weir.api.RunningApi.TestProject;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class IdempotencyIT {
    private static RunningApi api;
    private static TestProject acme;

    @BeforeAll
    static void start() {
        api = RunningApi.get();
        acme = api.project("idempotency", "10.50.0.0/24");
        api.addressPool();
    }

    private static Answer reserve(String key, String body) {
        return api.call(acme.token(), "POST", acme.path("/vips"), body, Map.of("Idempotency-Key", key));
    }

    @Test
    void repeatedCallAnswersWhatTheFirstAnswered() {
        Answer first = reserve("again", "{\"name\": \"again\"}");

        Answer second = reserve("again", "{\"name\": \"again\"}");

        assertThat(second.status()).isEqualTo(201);
        assertThat(second.body()).isEqualTo(first.body());
        assertThat(second.header("location")).isEqualTo(first.header("location"));
        assertThat(second.header("etag")).isEqualTo(first.header("etag"));
    }

    @Test
    void keyOfAnotherCallIsRefused() {
        reserve("reused", "{\"name\": \"reused\"}");

        Answer other = reserve("reused", "{\"name\": \"something-else\"}");

        assertThat(other.status()).isEqualTo(422);
        assertThat(other.text("code")).isEqualTo("IDEMPOTENCY_KEY_REUSED");
    }

    @Test
    void refusedCallMayBeRepeatedInEarnest() {
        Answer refused = reserve("mended", "{\"load_balancer_id\": \"lb_00000000000000000000000000000000\"}");

        Answer mended = reserve("mended", "{\"name\": \"mended\"}");

        assertThat(refused.status()).isEqualTo(422);
        assertThat(mended.status()).isEqualTo(201);
    }

    @Test
    void concurrentTwinsMakeOne() throws Exception {
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<Answer>> twins = IntStream.range(0, 8)
                    .mapToObj(i -> threads.submit(() -> reserve("twins", "{\"name\": \"twins\"}")))
                    .toList();
            for (Future<Answer> twin : twins) {
                assertThat(twin.get().status()).isEqualTo(201);
            }
        }

        Answer list = api.get(acme.token(), acme.path("/vips?name=twins"));

        assertThat(list.body().path("items").size()).isEqualTo(1);
    }
}
