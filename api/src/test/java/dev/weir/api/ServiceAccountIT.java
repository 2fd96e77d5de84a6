// SPDX-License-Identifier: Apache-2.0
package dev.weir.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.api.RunningApi.Answer;
import dev.weir.api.RunningApi.TestProject;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class ServiceAccountIT {
    private static RunningApi api;
    private static TestProject acme;

    @BeforeAll
    static void start() {
        api = RunningApi.get();
        acme = api.project("machines", "10.50.0.0/24");
    }

    private static Answer account(String name) {
        return RunningApi.created(api.post(
                acme.token(),
                acme.path("/service-accounts"),
                "{\"name\": \"%s\", \"role\": \"viewer\"}".formatted(name)));
    }

    private static void await(BooleanSupplier condition) throws InterruptedException {
        Instant end = Instant.now().plus(Duration.ofSeconds(30));
        while (!condition.getAsBoolean()) {
            assertThat(Instant.now()).as("in time").isBefore(end);
            Thread.sleep(Duration.ofMillis(100));
        }
    }

    @Test
    void rotatingReplacesTheSecret() {
        Answer account = account("rotated");
        String before = account.text("client_secret");

        Answer rotated = api.post(acme.token(), acme.path("/service-accounts/" + account.text("id") + ":rotate"), null);

        String after = rotated.text("client_secret");
        assertThat(rotated.status()).isEqualTo(200);
        assertThat(after).isNotEmpty().isNotEqualTo(before);
        assertThat(api.get(api.token(account.text("client_id"), after), acme.path("/vips"))
                        .status())
                .isEqualTo(200);
        assertThatThrownBy(() -> api.token(account.text("client_id"), before)).hasMessageContaining("no token");
    }

    @Test
    void aForeignAccountIsNotRotated() {
        TestProject globex = api.project("machines-other", "10.50.0.0/24");
        String id = account("target").text("id");

        for (TestProject by : List.of(acme, globex)) {
            assertThat(api.post(globex.token(), by.path("/service-accounts/" + id + ":rotate"), null)
                            .status())
                    .isEqualTo(404);
        }
    }

    @Test
    void concurrentTwinsMakeOneAccountAndTellTheSecretOnce() throws Exception {
        List<Answer> answers;
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<Answer>> twins = IntStream.range(0, 6)
                    .mapToObj(i -> threads.submit(() -> api.call(
                            acme.token(),
                            "POST",
                            acme.path("/service-accounts"),
                            "{\"name\": \"twin\", \"role\": \"viewer\"}",
                            Map.of("Idempotency-Key", "twin-accounts"))))
                    .toList();
            answers = new java.util.ArrayList<>();
            for (Future<Answer> twin : twins) {
                answers.add(twin.get());
            }
        }

        assertThat(answers).allMatch(answer -> answer.status() == 201);
        assertThat(answers.stream().map(answer -> answer.text("id")).distinct()).hasSize(1);
        assertThat(answers.stream().filter(answer -> answer.body().has("client_secret")))
                .hasSize(1);
    }

    @Test
    void clientsAndRowsThatADeathLeftBehindAreClearedAway() throws InterruptedException {
        Answer account = account("orphan");
        String id = account.text("id").substring(3);
        api.execute("delete from service_accounts where id = '%s'".formatted(id));
        api.execute("""
                insert into service_accounts (project_id, name, role, client_id, state, created_at)
                values ('%s', 'half', 'viewer', 'sa_half', 'creating', now() - interval '1 hour')""".formatted(acme.projectId().substring(4)));

        await(() -> {
            try {
                return api.token(account.text("client_id"), account.text("client_secret"))
                        .isEmpty();
            } catch (IllegalStateException e) {
                return true;
            }
        });
        await(() -> api.query("select count(*) from service_accounts where name = 'half'")
                .equals("0"));
    }

    @Test
    void anAccountThatIsBeingMadeIsNotThere() {
        api.execute("""
                insert into service_accounts (project_id, name, role, client_id, state)
                values ('%s', 'unfinished', 'viewer', 'sa_unfinished', 'creating')""".formatted(acme.projectId().substring(4)));

        Answer list = api.get(acme.token(), acme.path("/service-accounts?name=unfinished"));

        assertThat(list.body().path("items").isEmpty()).isTrue();
    }
}
