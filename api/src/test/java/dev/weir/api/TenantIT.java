// SPDX-License-Identifier: Apache-2.0
package dev.weir.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.api.RunningApi.Answer;
import dev.weir.api.RunningApi.TestProject;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class TenantIT {
    private static RunningApi api;

    @BeforeAll
    static void start() {
        api = RunningApi.get();
    }

    @Test
    void aSuspendedTenantReadsUntilItIsResumed() {
        TestProject late = api.project("late-payer", "10.50.0.0/24");
        api.addressPool();
        String path = "/v1/tenants/" + late.tenantId();

        Answer suspended = api.post(api.operatorToken(), path + ":suspend", null);
        Answer write = api.post(late.token(), late.path("/vips"), "{\"name\": \"no\"}");
        Answer read = api.get(late.token(), late.path("/vips"));
        Answer resumed = api.post(api.operatorToken(), path + ":resume", null);

        assertThat(suspended.text("state")).isEqualTo("suspended");
        assertThat(write.text("code")).isEqualTo("TENANT_SUSPENDED");
        assertThat(read.status()).isEqualTo(200);
        assertThat(resumed.text("state")).isEqualTo("active");
        assertThat(api.post(late.token(), late.path("/vips"), "{\"name\": \"yes\"}")
                        .status())
                .isEqualTo(201);
    }

    @Test
    void aTenantWithProjectsStaysAndTheyAreNamed() {
        TestProject busy = api.project("busy", "10.50.0.0/24");

        Answer refused = api.delete(api.operatorToken(), "/v1/tenants/" + busy.tenantId());

        assertThat(refused.status()).isEqualTo(409);
        assertThat(refused.text("code")).isEqualTo("TENANT_IN_USE");
        assertThat(refused.body().at("/errors/0/detail").asString()).contains(busy.projectId());
    }

    @Test
    void anOffBoardedTenantsNameIsFreeAgain() {
        String body = "{\"name\": \"%s\"}".formatted(RunningApi.name("leaver"));
        Answer first = RunningApi.created(api.post(api.operatorToken(), "/v1/tenants", body));

        Answer deleted = api.delete(api.operatorToken(), "/v1/tenants/" + first.text("id"));
        Answer second = RunningApi.created(api.post(api.operatorToken(), "/v1/tenants", body));

        assertThat(deleted.status()).isEqualTo(204);
        assertThat(second.text("organization_id")).isNotEqualTo(first.text("organization_id"));
    }

    @Test
    void answersOlderThanADayAreForgotten() {
        api.execute("""
                insert into idempotency_keys (project_id, subject, key, request_hash, status, created_at)
                values ('00000000-0000-0000-0000-000000000000', 's', 'old', '', 200, now() - interval '25 hours'),
                       ('00000000-0000-0000-0000-000000000000', 's', 'new', '', 200, now() - interval '23 hours')""");

        assertThat(Integer.parseInt(api.query("select forget_idempotency_keys()")))
                .isPositive();

        assertThat(api.query("select string_agg(key, ',') from idempotency_keys where subject = 's'"))
                .isEqualTo("new");
    }
}
