// SPDX-License-Identifier: Apache-2.0
package dev.weir.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.api.RunningApi.Answer;
import dev.weir.api.RunningApi.TestProject;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class ServersAwayIT {
    private static RunningApi api;
    private static TestProject acme;

    @BeforeAll
    static void start() {
        api = RunningApi.get();
        acme = api.project("away", "10.50.0.0/16");
    }

    private static void await(BooleanSupplier condition) throws InterruptedException {
        Instant end = Instant.now().plus(Duration.ofSeconds(60));
        while (!condition.getAsBoolean()) {
            assertThat(Instant.now()).as("in time").isBefore(end);
            Thread.sleep(Duration.ofMillis(100));
        }
    }

    private static boolean tokensAreGiven() {
        try {
            return !api.operatorToken().isEmpty();
        } catch (IllegalStateException e) {
            return false;
        }
    }

    @Test
    void withoutKeycloakOnlyCallsThatNeedItFail() throws Exception {
        String operator = api.operatorToken();
        assertThat(api.get(operator, "/v1/tenants").status()).isEqualTo(200);
        api.keycloak().kill();
        try {
            Answer tenant = api.post(operator, "/v1/tenants", "{\"name\": \"nobody\"}");
            Answer account = api.post(
                    acme.token(), acme.path("/service-accounts"), "{\"name\": \"nobody\", \"role\": \"viewer\"}");

            assertThat(tenant.status()).isEqualTo(503);
            assertThat(tenant.text("code")).isEqualTo("IDENTITY_PROVIDER_UNAVAILABLE");
            assertThat(tenant.header("retry-after")).isNotEmpty();
            assertThat(account.status()).isEqualTo(503);
            assertThat(api.get(acme.token(), acme.path("/load-balancers")).status())
                    .isEqualTo(200);
            assertThat(api.get(operator, "/v1/tenants").status()).isEqualTo(200);
            assertThat(api.call(null, "GET", "/healthz/ready", null, Map.of()).status())
                    .isEqualTo(200);
        } finally {
            api.keycloak().start();
            await(ServersAwayIT::tokensAreGiven);
        }

        assertThat(api.post(api.operatorToken(), "/v1/tenants", "{\"name\": \"%s\"}".formatted(RunningApi.name("back")))
                        .status())
                .isEqualTo(201);
    }

    @Test
    void withoutPostgresCallsAnswer503AndReadinessIsLost() throws Exception {
        String token = acme.token();
        api.postgres().kill();
        try {
            Answer read = api.get(token, acme.path("/load-balancers"));
            Answer ready = api.call(null, "GET", "/healthz/ready", null, Map.of());
            Answer live = api.call(null, "GET", "/healthz/live", null, Map.of());

            assertThat(read.status()).isEqualTo(503);
            assertThat(read.text("code")).isEqualTo("DATABASE_UNAVAILABLE");
            assertThat(read.header("retry-after")).isNotEmpty();
            assertThat(ready.status()).isEqualTo(503);
            assertThat(live.status()).isEqualTo(200);
        } finally {
            api.postgres().start();
            // Keycloak keeps its data there too.
            await(ServersAwayIT::tokensAreGiven);
        }

        await(() -> api.get(token, acme.path("/load-balancers")).status() == 200);
    }

    @Test
    void accountAskedForWithoutKeycloakIsMadeOnceItIsBack() throws Exception {
        api.keycloak().kill();
        Answer away;
        try {
            away = account("later");
        } finally {
            api.keycloak().start();
            await(ServersAwayIT::tokensAreGiven);
        }

        Answer back = account("later");
        Answer again = account("later");

        assertThat(away.status()).isEqualTo(503);
        assertThat(away.text("code")).isEqualTo("IDENTITY_PROVIDER_UNAVAILABLE");
        assertThat(away.header("retry-after")).isNotEmpty();
        assertThat(back.status()).isEqualTo(201);
        assertThat(api.get(api.token(back.text("client_id"), back.text("client_secret")), acme.path("/vips"))
                        .status())
                .isEqualTo(200);
        assertThat(again.text("id")).isEqualTo(back.text("id"));
        assertThat(api.query("select count(*) from service_accounts where name = 'later'"))
                .isEqualTo("1");
    }

    private static Answer account(String name) {
        return api.call(
                acme.token(),
                "POST",
                acme.path("/service-accounts"),
                "{\"name\": \"%s\", \"role\": \"viewer\"}".formatted(name),
                Map.of("Idempotency-Key", name));
    }

    @Test
    void instanceThatStartsWithoutKeycloakChecksTokensOnceItIsBack() throws Exception {
        String body = "{\"name\": \"early\", \"listeners\": [], \"pools\": []}";
        api.keycloak().kill();
        try (ApiProcess early = ApiProcess.start(api, "early")) {
            Answer unchecked;
            try {
                await(() -> early.readiness() == 200);
                unchecked = early.post(acme.token(), acme.path("/load-balancers"), body, Map.of());
            } finally {
                api.keycloak().start();
            }

            assertThat(unchecked.status()).isEqualTo(503);
            assertThat(unchecked.text("code")).isEqualTo("IDENTITY_PROVIDER_UNAVAILABLE");
            assertThat(unchecked.header("retry-after")).isNotEmpty();
            await(() -> early.post(acme.token(), acme.path("/load-balancers"), body, Map.of())
                            .status()
                    == 201);
        } finally {
            await(ServersAwayIT::tokensAreGiven);
        }
    }

    @Test
    void writesDuringCrashesOfPostgresAreThereOrAnswer503() throws Exception {
        Answer made = RunningApi.created(api.post(acme.token(), acme.path("/load-balancers"), """
                {"name": "crashed", "listeners": [], "pools": [{"name": "web", "members": []}]}"""));
        String pool = acme.path("/load-balancers/%s/pools/%s"
                .formatted(made.text("id"), made.body().at("/pools/0/id").asString()));
        AtomicBoolean over = new AtomicBoolean();
        List<Answer> answers = new ArrayList<>();

        try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
            List<Future<List<Answer>>> writers = IntStream.range(0, 4)
                    .mapToObj(writer -> threads.submit(() -> addMembers(pool, writer, over)))
                    .toList();
            try {
                for (int crash = 0; crash < 2; crash++) {
                    Thread.sleep(Duration.ofSeconds(1));
                    api.postgres().crash();
                    await(() -> api.get(acme.token(), pool).status() == 200);
                }
                Thread.sleep(Duration.ofSeconds(1));
            } finally {
                over.set(true);
                // Keycloak keeps its data there too.
                await(ServersAwayIT::tokensAreGiven);
            }
            for (Future<List<Answer>> writer : writers) {
                answers.addAll(writer.get());
            }
        }

        assertThat(answers).extracting(Answer::status).containsOnly(201, 503);
        assertThat(answers)
                .filteredOn(answer -> answer.status() == 503)
                .allMatch(answer -> answer.text("code").equals("DATABASE_UNAVAILABLE")
                        && !answer.header("retry-after").isEmpty());
        List<String> there = api.get(acme.token(), pool)
                .body()
                .path("members")
                .valueStream()
                .map(member -> member.path("id").asString())
                .toList();
        assertThat(there)
                .containsAll(answers.stream()
                        .filter(answer -> answer.status() == 201)
                        .map(answer -> answer.text("id"))
                        .toList());
    }

    private static List<Answer> addMembers(String pool, int writer, AtomicBoolean over) {
        List<Answer> answers = new ArrayList<>();
        for (int i = 1; i < 250 && !over.get(); i++) {
            answers.add(
                    api.post(acme.token(), pool + "/members", "{\"address\": \"10.50.%d.%d\"}".formatted(writer, i)));
        }
        return answers;
    }
}
