// SPDX-License-Identifier: Apache-2.0
package dev.weir.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.api.RunningApi.Answer;
import dev.weir.api.RunningApi.TestProject;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class ServersAwayIT {
    private static RunningApi api;
    private static TestProject acme;

    @BeforeAll
    static void start() {
        api = RunningApi.get();
        acme = api.project("away", "10.50.0.0/24");
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
}
