// SPDX-License-Identifier: Apache-2.0
package dev.weir.bench.api;

import dev.weir.testbed.servers.PostgresServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;

/** The same rows without the service: pgbench with a script for each kind of call, as the database's owner. */
final class PgBench {
    /** By kind of call. {@code bench_targets} numbers the load balancers, so that a script can pick one. */
    static final Map<String, String> SCRIPTS = Map.of(
            "get", """
                    \\set n random(1, :targets)
                    begin;
                    select p.id, t.state, g.role from bench_targets b join projects p on p.id = b.project_id
                        join tenants t on t.id = p.tenant_id join role_grants g on g.project_id = p.id where b.n = :n;
                    select l.*, r.tree from bench_targets b join load_balancers l using (project_id, id)
                        join revisions r on (r.project_id, r.id) = (l.project_id, l.revision_id) where b.n = :n;
                    commit;
                    """,
            "list50", """
                    \\set n random(1, :targets)
                    begin;
                    select l.*, r.tree from bench_targets b join load_balancers l using (project_id)
                        join revisions r on (r.project_id, r.id) = (l.project_id, l.revision_id)
                        where b.n = :n order by l.id limit 50;
                    commit;
                    """,
            "write", """
                    \\set n random(1, :targets)
                    \\set w random(1, 200)
                    begin;
                    select l.id, r.tree from bench_targets b join load_balancers l using (project_id, id)
                        join revisions r on (r.project_id, r.id) = (l.project_id, l.revision_id)
                        where b.n = :n for update of l;
                    insert into revisions (project_id, load_balancer_id, generation, tree, author, source, summary)
                        select l.project_id, l.id, l.generation + 1, r.tree, 'bench', 'bench', 'bench'
                        from bench_targets b join load_balancers l using (project_id, id)
                        join revisions r on (r.project_id, r.id) = (l.project_id, l.revision_id) where b.n = :n;
                    update load_balancers l set generation = l.generation + 1,
                        revision_id = (select max(r.id::text)::uuid from revisions r
                            where (r.project_id, r.load_balancer_id, r.generation) = (l.project_id, l.id, l.generation + 1))
                        from bench_targets b where b.n = :n and (l.project_id, l.id) = (b.project_id, b.id);
                    update members m set weight = :w from bench_targets b
                        join pools p on p.project_id = b.project_id and p.load_balancer_id = b.id
                        where b.n = :n and m.project_id = b.project_id and m.pool_id = p.id;
                    insert into outbox (kind, key, project_id, generation)
                        select 'load_balancer', id, project_id, 1 from bench_targets where n = :n;
                    insert into audit_events (project_id, subject, action, outcome)
                        select project_id, 'bench', 'updateMember', 'allowed' from bench_targets where n = :n;
                    commit;
                    """);

    private final PostgresServer postgres;
    private final Path folder;
    private final int targets;

    PgBench(PostgresServer postgres, Path folder, int targets) {
        this.postgres = postgres;
        this.folder = folder;
        this.targets = targets;
    }

    Latencies closed(String kind, int clients, Duration lasting) throws IOException, InterruptedException {
        return run(kind, clients, lasting, List.of());
    }

    Latencies open(String kind, double perSecond, Duration lasting) throws IOException, InterruptedException {
        return run(kind, 16, lasting, List.of("-R", String.format(Locale.ROOT, "%.1f", perSecond)));
    }

    private Latencies run(String kind, int clients, Duration lasting, List<String> more)
            throws IOException, InterruptedException {
        Path script = folder.resolve(kind + ".sql");
        Files.writeString(script, String.valueOf(SCRIPTS.get(kind)));
        Path log = folder.resolve("pgbench");
        clear();
        List<String> command = new ArrayList<>(List.of(
                "pgbench",
                "--no-vacuum",
                "--file=" + script,
                "--client=" + clients,
                "--jobs=" + Math.min(2, clients),
                "--time=" + Math.max(1, lasting.toSeconds()),
                "--define=targets=" + targets,
                "--protocol=simple",
                "--log",
                "--log-prefix=" + log));
        command.addAll(more);
        command.addAll(List.of("--host=127.0.0.1", "--port=" + postgres.port(), "--username=weir_owner", "weir"));
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("pgbench.out").toFile());
        builder.environment().put("PGPASSWORD", postgres.password("weir_owner"));
        int status = builder.start().waitFor();
        if (status != 0) {
            throw new IOException("pgbench failed: " + Files.readString(folder.resolve("pgbench.out")));
        }
        return Latencies.of(latencies(), lasting);
    }

    /** The third column of each line is the transaction's latency in microseconds, counted from when it was due. */
    private long[] latencies() throws IOException {
        List<Long> all = new ArrayList<>();
        try (Stream<Path> logs = logs()) {
            for (Path file : logs.toList()) {
                for (String line : Files.readAllLines(file)) {
                    all.add(Long.parseLong(line.split(" ", 4)[2]) * 1000);
                }
            }
        }
        return all.stream().mapToLong(Long::longValue).toArray();
    }

    private Stream<Path> logs() throws IOException {
        return Files.list(folder).filter(file -> file.getFileName().toString().matches("pgbench\\.\\d+(\\.\\d+)?"));
    }

    private void clear() throws IOException {
        try (Stream<Path> logs = logs()) {
            for (Path file : logs.toList()) {
                Files.delete(file);
            }
        }
    }
}
