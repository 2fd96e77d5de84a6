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
        api.project("rls-other", "10.50.0.0/24");
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

    /** What a role may do to a table: a grant without a policy is dead, a policy without the caller in it is open. */
    @Test
    void everyGrantOnAProjectTableHasAPolicyThatNamesTheCaller() throws SQLException {
        List<String> gaps = list("weir_owner", """
                select format('%s may %s %s', r.rolname, c.command, t.relname)
                from pg_class t
                join pg_attribute a on a.attrelid = t.oid and a.attname = 'project_id' and not a.attisdropped
                cross join (values ('select', 'r'), ('insert', 'a'), ('update', 'w'), ('delete', 'd')) c(command, code)
                cross join pg_roles r
                where t.relnamespace = 'public'::regnamespace and t.relkind in ('r', 'p') and not t.relispartition
                    and r.rolname in ('weir_api', 'weir_operator', 'weir_provisioner', 'weir_leases')
                    and has_table_privilege(r.rolname, t.oid, c.command)
                    and not exists (
                        select from pg_policy p
                        where p.polrelid = t.oid and r.oid = any (p.polroles) and p.polcmd::text in ('*', c.code)
                            and (r.rolname <> 'weir_api'
                                or coalesce(pg_get_expr(p.polqual, p.polrelid), '')
                                    || coalesce(pg_get_expr(p.polwithcheck, p.polrelid), '')
                                    ~ 'current_(project_id|subject|organization_ids)'))
                order by 1""");

        assertThat(gaps).isEmpty();
    }

    @Test
    void noPolicyLetsTheApiThroughWithoutNamingTheCaller() throws SQLException {
        List<String> open = list("weir_owner", """
                select format('%s on %s', p.polname, t.relname)
                from pg_policy p join pg_class t on t.oid = p.polrelid
                join pg_roles r on r.oid = any (p.polroles) and r.rolname = 'weir_api'
                where exists (
                    select from unnest(array[
                        case when p.polcmd <> 'a' then coalesce(pg_get_expr(p.polqual, t.oid), 'true') end,
                        case when p.polcmd in ('a', '*', 'w')
                            then coalesce(pg_get_expr(p.polwithcheck, t.oid), pg_get_expr(p.polqual, t.oid), 'true') end
                    ]) expression
                    where expression !~ 'current_(project_id|subject|organization_ids)')
                order by 1""");

        assertThat(open).isEmpty();
    }

    /** Role by table by command, tried: in one project nothing of another is read, changed, removed or made. */
    @Test
    void inOneProjectNothingOfAnotherIsReached() throws SQLException {
        String own = list("weir_owner", "select id::text from projects order by id limit 1")
                .getFirst();
        String other = list("weir_owner", "select id::text from projects order by id desc limit 1")
                .getFirst();
        assertThat(own).isNotEqualTo(other);
        List<String> reached = new ArrayList<>();
        for (String table : projectTables()) {
            for (String command : List.of("select", "insert", "update", "delete")) {
                boolean granted = list(
                                "weir_owner",
                                "select has_table_privilege('weir_api', '%s', '%s')".formatted(table, command))
                        .getFirst()
                        .equals("t");
                if (granted && reaches(table, command, own, other)) {
                    reached.add(command + " " + table);
                }
            }
        }

        assertThat(reached).isEmpty();
    }

    private static boolean reaches(String table, String command, String own, String other) throws SQLException {
        String sql = switch (command) {
            case "select" -> "select from %s where project_id = '%s'".formatted(table, other);
            // Row-level security is asked before any constraint.
            case "insert" -> "insert into %s (project_id) values ('%s')".formatted(table, other);
            case "update" ->
                "update %1$s set project_id = project_id where project_id = '%2$s'".formatted(table, other);
            case "delete" -> "delete from %s where project_id = '%s'".formatted(table, other);
            default -> throw new IllegalArgumentException(command);
        };
        try (Connection connection = api.postgres().connect("weir", "weir_api");
                var statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            statement.execute("select set_config('weir.project_id', '%s', true)".formatted(own));
            if (command.equals("select")) {
                try (var rows = statement.executeQuery(sql)) {
                    return rows.next();
                }
            }
            return statement.executeUpdate(sql) > 0;
        } catch (SQLException e) {
            boolean refused = String.valueOf(e.getMessage()).matches("(?s).*(row-level security|permission denied).*");
            if (!refused) {
                throw e;
            }
            return false;
        }
    }
}
