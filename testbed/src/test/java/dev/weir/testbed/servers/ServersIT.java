// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.servers;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.Statement;
import java.util.Base64;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

final class ServersIT {
    @Test
    void postgresKeepsItsDataOverAKill(@TempDir Path directory) throws Exception {
        Map<String, String> passwords = PostgresServer.LOGIN_ROLES.stream().collect(Collectors.toMap(r -> r, r -> r));
        PostgresServer postgres =
                new PostgresServer(Place.below(directory, "postgres", Map.of()), FreePorts.any(), passwords);
        postgres.start();
        try (Connection connection = postgres.connect("weir", "weir_owner");
                Statement statement = connection.createStatement()) {
            statement.execute("create table kept (id int)");
            statement.execute("insert into kept values (1)");
        }

        postgres.kill();
        assertThat(postgres.up()).isFalse();
        postgres.start();

        try (Connection connection = postgres.connect("weir", "weir_owner");
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("select count(*) from kept")) {
            rows.next();
            assertThat(rows.getInt(1)).isEqualTo(1);
        } finally {
            postgres.stop();
        }
    }

    @Test
    void noRoleOfPostgresLogsInWithoutItsPassword() throws Exception {
        PostgresServer postgres = TestServers.postgres();

        for (String role : PostgresServer.LOGIN_ROLES) {
            assertThat(org.assertj.core.api.Assertions.catchThrowableOfType(
                                    java.sql.SQLException.class,
                                    () -> java.sql.DriverManager.getConnection(postgres.jdbcUrl(), role, "wrong"))
                            .getSQLState())
                    .as(role)
                    .isEqualTo("28P01");
        }
    }

    @Test
    void kafkaServesAgainAfterAKill() throws Exception {
        KafkaServer kafka = TestServers.kafka();
        assertThat(kafka.up()).isTrue();

        kafka.kill();
        assertThat(kafka.up()).isFalse();
        kafka.start();

        assertThat(kafka.up()).isTrue();
    }

    @Test
    void operatorsTokenNamesAudienceAndRole() throws Exception {
        JsonNode token = claims(TestServers.keycloak().operatorToken());

        assertThat(texts(token.path("aud"))).contains("weir-operator").doesNotContain("weir-api");
        assertThat(texts(token.path("realm_access").path("roles"))).contains("operator");
        assertThat(token.path("sub").stringValue()).isNotBlank();
    }

    @Test
    void aPersonsTokenIsForTheApiAndNotForOperators() throws Exception {
        JsonNode token = claims(TestServers.keycloak().personToken("alice@acme.example"));

        assertThat(texts(token.path("aud"))).contains("weir-api").doesNotContain("weir-operator");
        assertThat(token.path("email").stringValue()).isEqualTo("alice@acme.example");
    }

    private static JsonNode claims(String token) {
        String body = token.split("\\.")[1];
        return JsonMapper.shared().readTree(new String(Base64.getUrlDecoder().decode(body), StandardCharsets.UTF_8));
    }

    private static java.util.List<String> texts(JsonNode node) {
        return node.isArray()
                ? node.valueStream().map(JsonNode::stringValue).toList()
                : java.util.List.of(node.stringValue());
    }
}
