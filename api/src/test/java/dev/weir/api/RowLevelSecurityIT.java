// SPDX-License-Identifier: Apache-2.0
package dev.weir.api;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Walks the catalogue: what holds for one table must hold for each, also for those to come. */
class RowLevelSecurityIT {
    private static RunningApi api;

    @BeforeAll
    static void start() {
        api = RunningApi.get();
        api.project("rls", "10.50.0.0/24");
    }

    private static List<String> list(String role, String sql) throws SQLException {
        List<String> values = new ArrayList<>();
        try (Connection connection = api.postgres().connect("weir", role);
                var statement = connection.createStatement();
                var rows = statement.executeQuery(sql)) {
            while (rows.next()) {
                values.add(rows.getString(1));
            }
        }
        return values;
    }

    private static List<String> projectTables() throws SQLException {
        List<String> tables = list("weir_owner", """
                select c.relname from pg_class c
                join pg_attribute a on a.attrelid = c.oid and a.attname = 'project_id' and not a.attisdropped
                where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
                order by 1""");
        assertThat(tables).contains("load_balancers", "vips", "outbox", "metrics_10s");
        return tables;
    }

    @Test
    void everyProjectTableForcesRowLevelSecurity() throws SQLException {
        List<String> open = list("weir_owner", """
                select c.relname from pg_class c
                where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
                    and (c.relname in ('tenants', 'projects') or exists (
                        select from pg_attribute a
                        where a.attrelid = c.oid and a.attname = 'project_id' and not a.attisdropped))
                    and not (c.relrowsecurity and c.relforcerowsecurity)""");

        assertThat(open).isEmpty();
    }

    @Test
    void withoutASessionTheApiSeesNothing() throws SQLException {
        for (String table : projectTables()) {
            boolean readable = list(
                            "weir_owner", "select has_table_privilege('weir_api', '%s', 'select')".formatted(table))
                    .getFirst()
                    .equals("t");
            if (readable) {
                assertThat(list("weir_api", "select count(*) from " + table))
                        .as(table)
                        .containsExactly("0");
            }
        }
        assertThat(list("weir_api", "select count(*) from projects")).containsExactly("0");
        assertThat(list("weir_api", "select count(*) from tenants")).containsExactly("0");
    }

    @Test
    void noRolePassesRowLevelSecurity() throws SQLException {
        List<String> roles = list("weir_owner", """
                select rolname from pg_roles where rolname like 'weir\\_%' and (rolbypassrls or rolsuper)""");

        assertThat(roles).isEmpty();
    }

    @Test
    void partitionsAreReachedThroughTheirParentsOnly() throws SQLException {
        List<String> open = list("weir_owner", """
                select c.relname from pg_class c
                where c.relnamespace = 'public'::regnamespace and c.relispartition
                    and (has_table_privilege('weir_api', c.oid, 'select')
                        or has_table_privilege('weir_api', c.oid, 'insert'))""");

        assertThat(open).isEmpty();
    }

    @Test
    void foreignKeysBetweenProjectTablesIncludeTheProject() throws SQLException {
        List<String> without = list("weir_owner", """
                select f.conname from pg_constraint f
                join pg_attribute o on o.attrelid = f.conrelid and o.attname = 'project_id'
                join pg_attribute t on t.attrelid = f.confrelid and t.attname = 'project_id'
                where f.contype = 'f' and not f.conrelid::regclass::text like '%\\_20%'
                    and not o.attnum = any (f.conkey)""");

        assertThat(without).isEmpty();
    }

    @Test
    void constraintsHaveChosenNames() throws SQLException {
        List<String> unnamed = list("weir_owner", """
                select c.conname from pg_constraint c
                join pg_class t on t.oid = c.conrelid
                where c.connamespace = 'public'::regnamespace and not t.relispartition and t.relname not like 'flyway%'
                    and c.conname similar to '%\\_(pkey|fkey|excl)[0-9]*'""");

        assertThat(unnamed).as("names that PostgreSQL made").isEmpty();
    }
}
