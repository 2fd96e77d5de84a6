// SPDX-License-Identifier: Apache-2.0
package dev.weir.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.api.RunningApi.Answer;
import dev.weir.api.RunningApi.TestProject;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class AccessIT {
    private static RunningApi api;
    private static TestProject acme;

    @BeforeAll
    static void start() {
        api = RunningApi.get();
        acme = api.project("access", "10.50.0.0/24");
    }

    @Test
    void callsWithoutAGoodTokenAreRefused() {
        Answer without = api.call(null, "GET", "/v1/projects", null, Map.of());
        String[] parts = acme.token().split("\\.");
        Answer forged = api.get(parts[0] + "." + parts[1] + "." + "A".repeat(parts[2].length()), "/v1/projects");

        assertThat(without.status()).isEqualTo(401);
        assertThat(without.header("content-type")).startsWith("application/problem+json");
        assertThat(without.header("www-authenticate")).isEqualTo("Bearer");
        assertThat(forged.status()).isEqualTo(401);
    }

    @Test
    void contractAndHealthAreOpen() {
        assertThat(api.call(null, "GET", "/v1/openapi.yaml", null, Map.of()).status())
                .isEqualTo(200);
        assertThat(api.call(null, "GET", "/healthz/live", null, Map.of()).status())
                .isEqualTo(200);
        assertThat(api.call(null, "GET", "/healthz/ready", null, Map.of()).status())
                .isEqualTo(200);
    }

    @Test
    void aPersonSeesAProjectOnceGranted() {
        String before = api.personToken("alice@acme.example");
        assertThat(api.get(before, acme.path("")).status()).isEqualTo(404);

        Answer grant = api.post(api.operatorToken(), acme.path("/role-grants"), """
                {"username": "alice@acme.example", "role": "viewer"}""");

        assertThat(grant.status()).isEqualTo(201);
        // Membership of the organization is in the token.
        String after = api.personToken("alice@acme.example");
        assertThat(api.get(after, acme.path("")).text("role")).isEqualTo("viewer");
        Answer write = api.post(after, acme.path("/vips"), "{}");
        assertThat(write.status()).isEqualTo(403);
        assertThat(write.text("code")).isEqualTo("FORBIDDEN");
        assertThat(api.delete(api.operatorToken(), acme.path("/role-grants/" + grant.text("id")))
                        .status())
                .isEqualTo(204);
        assertThat(api.get(after, acme.path("")).status()).isEqualTo(404);
    }

    @Test
    void aGrantAloneOpensNothingToATokenOfAnotherOrganization() {
        TestProject other = api.project("other", "10.50.0.0/24");
        String subject = api.query("select subject from role_grants where project_id = '%s'"
                .formatted(other.projectId().substring(4)));
        api.execute("insert into role_grants (project_id, subject, role) values ('%s', '%s', 'admin')"
                .formatted(acme.projectId().substring(4), subject));

        Answer answer = api.get(other.token(), acme.path("/load-balancers"));

        assertThat(answer.status()).isEqualTo(404);
    }

    @Test
    void deletedServiceAccountIsRefusedAtOnce() {
        Answer account = RunningApi.created(api.post(acme.token(), acme.path("/service-accounts"), """
                {"name": "short-lived", "role": "viewer"}"""));
        String token = api.token(account.text("client_id"), account.text("client_secret"));
        assertThat(api.get(token, acme.path("/vips")).status()).isEqualTo(200);

        Answer deleted = api.delete(acme.token(), acme.path("/service-accounts/" + account.text("id")));

        assertThat(deleted.status()).isEqualTo(204);
        assertThat(api.get(token, acme.path("/vips")).status()).isEqualTo(404);
    }

    @Test
    void secretIsShownOnce() {
        Map<String, String> key = Map.of("Idempotency-Key", "secret-once");
        String body = "{\"name\": \"once\", \"role\": \"viewer\"}";

        Answer first = api.call(acme.token(), "POST", acme.path("/service-accounts"), body, key);
        Answer again = api.call(acme.token(), "POST", acme.path("/service-accounts"), body, key);
        Answer read = api.get(acme.token(), acme.path("/service-accounts/" + first.text("id")));

        assertThat(first.text("client_secret")).isNotEmpty();
        assertThat(again.status()).isEqualTo(201);
        assertThat(again.text("id")).isEqualTo(first.text("id"));
        assertThat(again.body().has("client_secret")).isFalse();
        assertThat(read.body().has("client_secret")).isFalse();
    }

    @Test
    void suspendedTenantReadsButDoesNotWrite() {
        TestProject late = api.project("late", "10.50.0.0/24");
        api.execute("update tenants set state = 'suspended' where id = '%s'"
                .formatted(late.tenantId().substring(4)));

        Answer write = api.post(late.token(), late.path("/vips"), "{}");

        assertThat(api.get(late.token(), late.path("/vips")).status()).isEqualTo(200);
        assertThat(write.status()).isEqualTo(403);
        assertThat(write.text("code")).isEqualTo("TENANT_SUSPENDED");
    }

    @Test
    void operatorWithoutAGrantSeesNoTenantsLoadBalancers() {
        Answer answer = api.get(api.operatorToken(), acme.path("/load-balancers"));

        assertThat(answer.status()).isEqualTo(403);
    }

    @Test
    void parametersAndPathsOutsideOfTheContractAreProblems() {
        assertThat(api.get(acme.token(), "/v1/projects?limit=0").pointers()).containsExactly("query/limit");
        assertThat(api.get(acme.token(), "/v1/projects?limit=x").status()).isEqualTo(400);
        assertThat(api.get(acme.token(), "/v1/projects?cursor=%21").status()).isEqualTo(400);
        assertThat(api.get(acme.token(), "/v1/nothing").status()).isEqualTo(404);
        assertThat(api.delete(acme.token(), "/v1/projects").status()).isEqualTo(405);
        assertThat(api.get(acme.token(), acme.path("/vips/vip_1")).status()).isEqualTo(404);
        assertThat(api.post(acme.token(), acme.path("/vips"), "{not json").pointers())
                .containsExactly("");
    }
}
