// SPDX-License-Identifier: Apache-2.0
package dev.weir.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.api.RunningApi.Answer;
import dev.weir.api.RunningApi.TestProject;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** How many statements a call takes, as the database counts them: a number that does not grow with the answer. */
class StatementCountIT {
    private static RunningApi api;
    private static TestProject few;
    private static TestProject many;

    @BeforeAll
    static void start() throws SQLException {
        api = RunningApi.get();
        try (Connection connection = api.postgres().connect("weir", "postgres");
                var statement = connection.createStatement()) {
            statement.execute("create extension if not exists pg_stat_statements");
        }
        few = filled(1);
        many = filled(40);
    }

    private static TestProject filled(int loadBalancers) {
        TestProject project = api.project("counted", "10.50.0.0/24");
        for (int i = 0; i < loadBalancers; i++) {
            RunningApi.created(
                    api.post(project.token(), project.path("/load-balancers"), tree("web-" + i, loadBalancers)));
        }
        return project;
    }

    private static String tree(String name, int members) {
        return """
                {"name": "%s",
                 "listeners": [{"name": "http", "protocol": "tcp", "port_ranges": [{"first": 80, "last": 80}],
                     "pool_name": "web"}],
                 "pools": [{"name": "web", "members": [%s]}]}""".formatted(
                        name,
                        IntStream.rangeClosed(1, members)
                                .mapToObj("{\"address\": \"10.50.0.%d\"}"::formatted)
                                .collect(Collectors.joining(",")));
    }

    /** Statements of tenants' calls, without those that begin and end transactions. */
    private static int statements(Supplier<Answer> call) {
        try (Connection connection = api.postgres().connect("weir", "postgres");
                var statement = connection.createStatement()) {
            statement.execute("select pg_stat_statements_reset()");
            assertThat(call.get().status()).isBetween(200, 299);
            try (var rows = statement.executeQuery("""
                    select coalesce(sum(calls), 0)::int from pg_stat_statements s join pg_roles r on r.oid = s.userid
                    where r.rolname = 'weir_api' and s.toplevel
                        and s.query !~* '^(begin|commit|rollback|set |show |select 1)'""")) {
                rows.next();
                return rows.getInt(1);
            }
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void aListTakesAsManyStatementsForFortyAsForOne() {
        for (String list : new String[] {"/load-balancers", "/vips", "/service-accounts"}) {
            int forOne = statements(() -> api.get(few.token(), few.path(list)));
            int forForty = statements(() -> api.get(many.token(), many.path(list)));

            assertThat(forForty).as(list).isEqualTo(forOne).isLessThanOrEqualTo(8);
        }
    }

    @Test
    void oneLoadBalancerTakesAsManyStatementsWithFortyMembersAsWithOne() {
        String small = few.path("/load-balancers/" + first(few));
        String large = many.path("/load-balancers/" + first(many));

        int forOne = statements(() -> api.get(few.token(), small));
        int forForty = statements(() -> api.get(many.token(), large));

        assertThat(forForty).isEqualTo(forOne).isLessThanOrEqualTo(8);
    }

    @Test
    void creatingTakesAsManyStatementsWithFortyMembersAsWithOne() {
        int forOne = statements(() -> api.post(few.token(), few.path("/load-balancers"), tree("one", 1)));
        int forForty = statements(() -> api.post(many.token(), many.path("/load-balancers"), tree("forty", 40)));

        // Batches of rows go in one statement that the database counts for each.
        assertThat(forForty - 39).isLessThanOrEqualTo(forOne);
    }

    private static String first(TestProject project) {
        return api.get(project.token(), project.path("/load-balancers?limit=1"))
                .body()
                .at("/items/0/id")
                .asString();
    }
}
