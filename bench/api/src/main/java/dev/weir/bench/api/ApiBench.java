// SPDX-License-Identifier: Apache-2.0
package dev.weir.bench.api;

import dev.weir.bench.api.Fleet.Target;
import dev.weir.testbed.servers.KeycloakServer;
import dev.weir.testbed.servers.PostgresServer;
import dev.weir.testbed.servers.TestServers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Measures get, list, write and the replacement of a large tree: closed loops for the most that goes, an open loop at half
 * of it for latency. Beside each stands pgbench with the same rows in the same run. Then start-up, with and without an
 * AOT cache.
 *
 * <p>Arguments: the api's jar laid out flat, a folder for files of the run, optionally the result file.
 */
public final class ApiBench {
    private static final int[] CLIENTS = {1, 16, 64};
    private static final int STARTS = 5;

    private final Path jar;
    private final Path folder;
    private final Results results = new Results();
    private final PostgresServer postgres = TestServers.postgres();
    private final KeycloakServer keycloak = TestServers.keycloak();
    private final Duration lasting = Duration.ofSeconds(setting("WEIR_BENCH_SECONDS", 10));
    private final int loadBalancers = setting("WEIR_BENCH_LOAD_BALANCERS", 10_000);
    private final int projects = setting("WEIR_BENCH_PROJECTS", 100);

    private ApiBench(Path jar, Path folder) {
        this.jar = jar;
        this.folder = folder;
    }

    public static void main(String[] args) throws Exception {
        ApiBench bench = new ApiBench(Path.of(args[0]), Files.createDirectories(Path.of(args[1])));
        Optional<Path> file = args.length > 2 ? Optional.of(Path.of(args[2])) : Optional.empty();
        bench.run();
        if (file.isPresent()) {
            bench.results.write(file.get());
        }
        System.exit(0);
    }

    private static int setting(String name, int otherwise) {
        String value = System.getenv(name);
        return value == null || value.isBlank() ? otherwise : Integer.parseInt(value);
    }

    private void run() throws Exception {
        try (Service service = start(List.of());
                Fleet fleet = new Fleet(service.url(), keycloak)) {
            execute("create extension if not exists pg_stat_statements");
            long began = System.nanoTime();
            fleet.fill(projects, loadBalancers);
            System.out.printf(
                    "%d load balancers of %d members in %d projects, made in %d s%n",
                    loadBalancers,
                    Fleet.MEMBERS,
                    projects,
                    Duration.ofNanos(System.nanoTime() - began).toSeconds());
            numberTargets();
            PgBench pgbench = new PgBench(postgres, folder, loadBalancers);
            AtomicInteger weight = new AtomicInteger();
            measure("get", () -> fleet.get(any(fleet)), pgbench);
            measure("list50", () -> fleet.list(any(fleet)), pgbench);
            measure("write", () -> fleet.write(any(fleet), 1 + weight.incrementAndGet() % 200), pgbench);
            replaceLargeTree(fleet);
        }
        startUp();
    }

    private Service start(List<String> options) throws IOException, InterruptedException {
        return Service.start(jar, options, postgres, keycloak, folder.resolve("api.log"));
    }

    private static Target any(Fleet fleet) {
        return fleet.targets()
                .get(ThreadLocalRandom.current().nextInt(fleet.targets().size()));
    }

    private void measure(String kind, Load.Call call, PgBench pgbench) throws Exception {
        Load.closed(16, lasting, call);
        double most = 0;
        double referenceMost = 0;
        for (int clients : CLIENTS) {
            Latencies closed = Load.closed(clients, lasting, call);
            Latencies reference = pgbench.closed(kind, clients, lasting);
            most = Math.max(most, closed.perSecond());
            referenceMost = Math.max(referenceMost, reference.perSecond());
            report(kind + ".c" + clients, closed, reference);
        }
        double statementsBefore = statements();
        Latencies open = Load.open(most / 2, lasting, call);
        double statements = (statements() - statementsBefore) / open.sortedNs().length;
        report(kind + ".open", open, pgbench.open(kind, Math.min(most / 2, referenceMost / 2), lasting));
        results.add(kind + ".open", "statements", statements, "1");
    }

    private void report(String name, Latencies measured, Latencies reference) {
        results.add(name, "p50_ms", measured.ms(0.5), "ms", "pgbench", reference.ms(0.5));
        results.add(name, "p99_ms", measured.ms(0.99), "ms", "pgbench", reference.ms(0.99));
        results.add(name, "per_s", measured.perSecond(), "1/s", "pgbench", reference.perSecond());
    }

    private void replaceLargeTree(Fleet fleet) throws Exception {
        Target large = fleet.create(fleet.project(0), "large", 1000);
        AtomicInteger weight = new AtomicInteger();
        Load.Call call = () -> fleet.replace(large, Fleet.tree("large", 1000, 1 + weight.incrementAndGet() % 200));
        Load.closed(1, lasting, call);
        double statementsBefore = statements();
        Latencies measured = Load.closed(1, lasting, call);
        String name = "tree_put_1000_members.c1";
        results.add(name, "p50_ms", measured.ms(0.5), "ms");
        results.add(name, "p99_ms", measured.ms(0.99), "ms");
        results.add(name, "per_s", measured.perSecond(), "1/s");
        results.add(name, "statements", (statements() - statementsBefore) / measured.sortedNs().length, "1");
    }

    /** The median of several starts with an AOT cache, beside that without. */
    private void startUp() throws Exception {
        Path cache = folder.resolve("api.aot");
        start(List.of("-XX:AOTCacheOutput=" + cache)).close();
        double[][] cached = starts(List.of("-XX:AOTCache=" + cache));
        double[][] plain = starts(List.of());
        results.add("startup", "ready_s", median(cached[0]), "s", "without_aot", median(plain[0]));
        results.add("startup", "rss_mb", median(cached[1]), "MB", "without_aot", median(plain[1]));
    }

    /** Seconds until ready, and resident memory then. */
    private double[][] starts(List<String> options) throws Exception {
        double[] ready = new double[STARTS];
        double[] rss = new double[STARTS];
        for (int i = 0; i < STARTS; i++) {
            try (Service service = start(options)) {
                ready[i] = service.readyAfter().toNanos() / 1e9;
                rss[i] = service.rssMb();
            }
        }
        return new double[][] {ready, rss};
    }

    private static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return sorted[sorted.length / 2];
    }

    private void numberTargets() throws SQLException {
        execute("""
                create table bench_targets as
                    select row_number() over (order by id)::int as n, project_id, id from load_balancers""");
        execute("alter table bench_targets add primary key (n)");
        execute("alter table bench_targets owner to weir_owner");
        // What the server would do about a million new rows by itself, some time during the measurements.
        execute("vacuum (analyze)");
        execute("checkpoint");
    }

    /** Statements of tenants' calls so far, without those that only begin and end transactions. */
    private double statements() throws SQLException {
        try (Connection connection = postgres.connect("weir", "postgres");
                var statement = connection.createStatement();
                var rows = statement.executeQuery("""
                        select coalesce(sum(calls), 0) from pg_stat_statements s join pg_roles r on r.oid = s.userid
                        where r.rolname = 'weir_api' and s.toplevel
                            and s.query !~* '^(begin|commit|rollback|set |show |select 1)'""")) {
            rows.next();
            return rows.getDouble(1);
        }
    }

    private void execute(String sql) throws SQLException {
        try (Connection connection = postgres.connect("weir", "postgres");
                var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}
