// SPDX-License-Identifier: Apache-2.0
package dev.weir.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.api.RunningApi.Answer;
import dev.weir.api.RunningApi.TestProject;
import dev.weir.testbed.servers.PostgresServer;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Map;
import java.util.Objects;
import org.flywaydb.core.Flyway;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.springframework.context.ConfigurableApplicationContext;

/** The service starts on what the last release stored, and reads and changes it like its own. */
class UpgradeIT {
    private static final String DATABASE = "upgraded";
    /** The newest migration of release 0.1.0. */
    private static final String RELEASED = "50";

    private static final String LOAD_BALANCER =
            "/v1/projects/prj_01a20ae8c7d770008e75e7eb5fa59a79/load-balancers/lb_01a20ae8da637000b26ad3d04d451a82";

    private static RunningApi api;
    private static ConfigurableApplicationContext upgraded;
    private static TestProject acme;
    private static String url;

    @BeforeAll
    static void start() throws SQLException, IOException {
        api = RunningApi.get();
        acme = api.project("upgraded", "10.0.0.0/8");
        PostgresServer postgres = api.postgres();
        execute("postgres", "postgres", "create database " + DATABASE + " owner weir_owner");
        Flyway.configure()
                .dataSource(postgres.jdbcUrl(DATABASE), "weir_owner", postgres.password("weir_owner"))
                .target(RELEASED)
                .load()
                .migrate();
        execute(DATABASE, "weir_owner", stored());
        upgraded = api.another(DATABASE);
        url = RunningApi.url(upgraded);
    }

    @AfterAll
    static void stop() throws SQLException {
        upgraded.close();
        execute("postgres", "postgres", "drop database " + DATABASE + " with (force)");
    }

    private static void execute(String database, String role, String sql) throws SQLException {
        try (Connection connection = api.postgres().connect(database, role);
                var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private static String stored() throws IOException {
        try (InputStream sql = Objects.requireNonNull(UpgradeIT.class.getResourceAsStream("/released/0.1.0.sql"))) {
            // The same tenant's organization and service account, so that their tokens are good for both.
            return new String(sql.readAllBytes(), StandardCharsets.UTF_8)
                    .replace("492093db-9a28-4b7f-a81e-2458b0d7813d", ofTenant("organization_id"))
                    .replace("52ce0432-39a8-4ba5-bed9-251f0f93e369", ofAccount("subject"))
                    .replace("sa_01a20ae8c89170008e4ee6643f95a2c3", ofAccount("client_id"));
        }
    }

    private static String ofTenant(String column) {
        return api.query("select %s from tenants where id = '%s'".formatted(column, uuid(acme.tenantId())));
    }

    private static String ofAccount(String column) {
        return api.query(
                "select %s from service_accounts where project_id = '%s'".formatted(column, uuid(acme.projectId())));
    }

    private static String uuid(String id) {
        return id.substring(id.indexOf('_') + 1);
    }

    private static Answer get(String path) {
        return api.call(url, acme.token(), "GET", path, null, Map.of());
    }

    @Test
    void loadBalancerOfTheLastReleaseReadsWithItsTree() {
        Answer web = get(LOAD_BALANCER);

        assertThat(web.status()).isEqualTo(200);
        assertThat(web.body().at("/labels/env").asString()).isEqualTo("production");
        assertThat(web.body().path("generation").asInt()).isEqualTo(3);
        assertThat(web.body().at("/pools/0/members/0/weight").asInt(-1)).isZero();
        assertThat(web.body().at("/listeners/0/port_ranges/0/last").asInt()).isEqualTo(80);
        assertThat(web.body().at("/vips/0/address").asString()).isEqualTo("203.0.113.10");
    }

    @Test
    void changesGoOnFromTheLastReleasesGeneration() {
        Answer changed = api.call(url, acme.token(), "PATCH", LOAD_BALANCER, "{\"description\": \"mended\"}", Map.of());
        Answer revisions = get(LOAD_BALANCER + "/revisions");

        assertThat(changed.status()).isEqualTo(200);
        assertThat(changed.body().path("generation").asInt()).isEqualTo(4);
        assertThat(revisions.body().path("items").size()).isEqualTo(2);
    }

    @Test
    void limitsAndProtectionAreKept() {
        String project = "/v1/projects/prj_01a20ae8c7d770008e75e7eb5fa59a79";

        assertThat(get(project + "/quota").body().at("/load_balancers/limit").asInt())
                .isEqualTo(7);
        assertThat(get(project + "/vips/vip_01a20ae8df007000b26ad3d04d451a82")
                        .body()
                        .path("delete_protection")
                        .asBoolean())
                .isTrue();
    }
}
