// SPDX-License-Identifier: Apache-2.0
package dev.weir.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.api.RunningApi.Answer;
import dev.weir.api.RunningApi.TestProject;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

class AuditIT {
    private static final String VIEWER = "{\"name\": \"%s\", \"role\": \"viewer\"}";

    private static RunningApi api;
    private static TestProject acme;
    private static TestProject globex;

    @BeforeAll
    static void start() {
        api = RunningApi.get();
        acme = api.project("audit", "10.50.0.0/24");
        globex = api.project("audit-other", "10.50.0.0/24");
        api.addressPool();
    }

    /** The newest event of a call. */
    private static JsonNode newest(TestProject project, String action) {
        return api.get(project.token(), project.path("/audit-events?limit=1&action=" + action))
                .body()
                .at("/items/0");
    }

    @Test
    void aWriteTellsWhoDidItFromWhereAndWhatChanged() {
        Answer vip = RunningApi.created(api.call(
                acme.token(), "POST", acme.path("/vips"), "{\"name\": \"before\"}", Map.of("X-Request-Id", "call-17")));

        api.patch(acme.token(), acme.path("/vips/" + vip.text("id")), "{\"name\": \"after\"}");

        JsonNode created = newest(acme, "createVip");
        assertThat(created.path("outcome").asString()).isEqualTo("allowed");
        assertThat(created.path("request_id").asString()).isEqualTo("call-17");
        assertThat(created.path("source_address").asString()).isEqualTo("127.0.0.1");
        assertThat(created.path("resource").asString()).isEqualTo(vip.text("id"));
        assertThat(created.at("/changes/0/change").asString()).isEqualTo("created");
        JsonNode updated = newest(acme, "updateVip").at("/changes/0");
        assertThat(updated.path("id").asString()).isEqualTo(vip.text("id"));
        assertThat(updated.at("/before/name").asString()).isEqualTo("before");
        assertThat(updated.at("/after/name").asString()).isEqualTo("after");
        assertThat(updated.path("after").has("address")).isFalse();
    }

    @Test
    void aSecretIsNowhereInTheLog() {
        Answer account = RunningApi.created(
                api.post(acme.token(), acme.path("/service-accounts"), VIEWER.formatted("secretive")));

        Answer log = api.get(acme.token(), acme.path("/audit-events"));

        assertThat(log.body().toString()).contains(account.text("id")).doesNotContain(account.text("client_secret"));
    }

    @Test
    void refusalsOfTheProjectsOwnCallersAreInItsLog() {
        Answer account =
                RunningApi.created(api.post(acme.token(), acme.path("/service-accounts"), VIEWER.formatted("viewer")));
        String viewer = api.token(account.text("client_id"), account.text("client_secret"));

        assertThat(api.post(viewer, acme.path("/vips"), "{\"name\": \"mine\"}").status())
                .isEqualTo(403);

        JsonNode refused = newest(acme, "createVip");
        assertThat(refused.path("outcome").asString()).isEqualTo("refused");
        assertThat(refused.path("code").asString()).isEqualTo("FORBIDDEN");
        assertThat(refused.path("username").asString()).contains(account.text("client_id"));
        assertThat(refused.path("changes").isEmpty()).isTrue();
        assertThat(api.get(viewer, acme.path("/audit-events")).status()).isEqualTo(403);
    }

    @Test
    void aStrangersAttemptIsSeenByOperatorsAlone() {
        String path = acme.path("/load-balancers/lb_00000000000000000000000000000007");

        assertThat(api.delete(globex.token(), path).status()).isEqualTo(404);

        Answer fleet =
                api.get(api.operatorToken(), "/v1/audit-events?outcome=refused&action=deleteLoadBalancer&limit=1");
        assertThat(fleet.body().at("/items/0/path").asString()).isEqualTo(path);
        assertThat(fleet.body().at("/items/0").has("project_id")).isFalse();
        assertThat(api.get(acme.token(), acme.path("/audit-events?action=deleteLoadBalancer"))
                        .body()
                        .path("items")
                        .isEmpty())
                .isTrue();
        assertThat(api.get(globex.token(), acme.path("/audit-events")).status()).isEqualTo(404);
        assertThat(api.get(globex.token(), "/v1/audit-events").status()).isEqualTo(403);
    }

    @Test
    void pagesGoOnWhereTheLastOneEnded() {
        for (int i = 0; i < 3; i++) {
            api.delete(acme.token(), acme.path("/vips/vip_0000000000000000000000000000000" + i));
        }

        Answer first = api.get(acme.token(), acme.path("/audit-events?action=deleteVip&limit=2"));
        Answer second = api.get(
                acme.token(), acme.path("/audit-events?action=deleteVip&limit=2&cursor=" + first.text("next_cursor")));

        assertThat(first.body().path("items").size()).isEqualTo(2);
        assertThat(second.body().at("/items/0/resource").asString()).endsWith("0");
        assertThat(second.body().has("next_cursor")).isFalse();
    }

    @Test
    void theApplicationsRolesCanOnlyAppend() throws SQLException {
        for (String role : List.of("weir_api", "weir_operator", "weir_provisioner")) {
            try (Connection connection = api.postgres().connect("weir", role);
                    var statement = connection.createStatement()) {
                for (String sql : List.of(
                        "update audit_events set outcome = 'allowed'",
                        "delete from audit_events",
                        "truncate audit_events")) {
                    assertThatThrownBy(() -> statement.execute(sql))
                            .as("%s as %s", sql, role)
                            .hasMessageContaining("permission denied");
                }
            }
        }
    }

    @Test
    void nobodyWritesInAnothersName() throws SQLException {
        try (Connection connection = api.postgres().connect("weir", "weir_api");
                var statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            statement.execute("select set_config('weir.subject', 'me', true)");

            assertThatThrownBy(() -> statement.execute(
                            "insert into audit_events (subject, action, outcome) values ('you', 'x', 'refused')"))
                    .hasMessageContaining("row-level security");
        }
    }

    /** A table that calls write to is audited by a trigger, or told of by a row of one that is. */
    @Test
    void everyTableThatCallsWriteToIsAudited() {
        String open = api.query("""
                select string_agg(c.relname, ', ') from pg_class c
                where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
                    and (has_table_privilege('weir_api', c.oid, 'insert') or has_table_privilege('weir_api', c.oid, 'update')
                        or has_table_privilege('weir_operator', c.oid, 'insert')
                        or has_table_privilege('weir_operator', c.oid, 'update'))
                    and not exists (select from pg_trigger t join pg_proc p on p.oid = t.tgfoid
                        where t.tgrelid = c.oid and p.proname = 'audit_row')
                    and c.relname not in (
                        -- No call writes to it.
                        'config_epoch',
                        -- The log itself, and what the service keeps for itself.
                        'audit_events', 'events', 'idempotency_keys', 'outbox',
                        -- Rows of a load balancer's tree: the revision tells.
                        'listeners', 'pools', 'members', 'health_monitors', 'listener_prefix_lists',
                        -- What becomes of an address: its VIP tells.
                        'vip_removals')""");

        assertThat(open).isEqualTo("null");
    }
}
