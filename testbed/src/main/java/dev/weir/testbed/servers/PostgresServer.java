// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.servers;

import dev.weir.testbed.Part;
import dev.weir.testbed.process.ManagedProcess;
import dev.weir.testbed.process.ProcessSpec;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;

/**
 * A real PostgreSQL server on the loopback address, with the databases {@code weir} and {@code keycloak} and their roles.
 *
 * <p>It never runs as root: it refuses to. A start after a SIGKILL recovers by itself.
 */
public final class PostgresServer implements Part {
    /** The roles that log in, each with a password of its own; {@code postgres} is the superuser. */
    public static final List<String> LOGIN_ROLES =
            List.of("postgres", "weir_owner", "weir_api", "weir_operator", "weir_provisioner", "keycloak");

    private static final Duration LONGEST_START = Duration.ofSeconds(60);

    private final Place place;
    private final int port;
    private final Map<String, String> passwords;
    private final ManagedProcess process;

    /**
     * @param passwords a password for each of {@link #LOGIN_ROLES}
     * @throws IllegalArgumentException if one is missing
     */
    public PostgresServer(Place place, int port, Map<String, String> passwords)
            throws IOException, InterruptedException {
        for (String role : LOGIN_ROLES) {
            if (!passwords.containsKey(role)) {
                throw new IllegalArgumentException("no password for role " + role);
            }
        }
        this.place = place;
        this.port = port;
        this.passwords = Map.copyOf(passwords);
        List<String> command = new ArrayList<>(Unprivileged.prefix());
        command.addAll(List.of(
                PostgresBinaries.home().resolve("bin/postgres").toString(),
                "-D",
                place.data().toString(),
                "-p",
                Integer.toString(port),
                "-c",
                "listen_addresses=127.0.0.1",
                "-c",
                "unix_socket_directories=",
                "-c",
                "password_encryption=scram-sha-256",
                "-c",
                "max_connections=120",
                "-c",
                "shared_buffers=64MB",
                "-c",
                "shared_preload_libraries=pg_stat_statements",
                "-c",
                "log_line_prefix=%m [%p] %q%u@%d "));
        this.process = new ManagedProcess(new ProcessSpec(
                name(), command, place.environment(), place.data(), place.log(), place.pidFile(), false));
    }

    @Override
    public String name() {
        return "postgres";
    }

    @Override
    public Path logFile() {
        return place.log();
    }

    public int port() {
        return port;
    }

    /** The JDBC address of a database, without user and password. */
    public String jdbcUrl(String database) {
        return "jdbc:postgresql://127.0.0.1:" + port + "/" + database;
    }

    /** The address of database {@code weir}. */
    public String jdbcUrl() {
        return jdbcUrl("weir");
    }

    public String password(String role) {
        return Objects.requireNonNull(passwords.get(role), role);
    }

    /** A connection as one of {@link #LOGIN_ROLES}. */
    public Connection connect(String database, String role) throws SQLException {
        return DriverManager.getConnection(jdbcUrl(database) + "?connectTimeout=2", role, password(role));
    }

    @Override
    public void start() throws IOException, InterruptedException {
        if (!Files.exists(place.data().resolve("PG_VERSION"))) {
            initialize();
        }
        process.start();
        Wait.untilReady(process, LONGEST_START, this::answers);
        try {
            createRolesAndDatabases();
        } catch (SQLException e) {
            throw new IOException("could not make the database's roles", e);
        }
    }

    @Override
    public void stop() throws IOException, InterruptedException {
        // SIGINT is PostgreSQL's fast shutdown; SIGTERM would wait for the clients to leave.
        process.interrupt(Duration.ofSeconds(20));
    }

    @Override
    public void kill() throws IOException, InterruptedException {
        process.kill();
        awaitChildren();
    }

    @Override
    public void crash() throws IOException, InterruptedException {
        kill();
        start();
    }

    @Override
    public boolean up() {
        return process.alive() && answers();
    }

    private boolean answers() {
        try (Connection connection = connect("postgres", "postgres")) {
            return connection.isValid(1);
        } catch (SQLException _) {
            return false;
        }
    }

    // Without its postmaster a backend ends at its next wait; a new postmaster refuses to start before the last has
    // ended.
    private void awaitChildren() throws InterruptedException {
        String marker = place.data().toString();
        for (int i = 0; i < 100; i++) {
            boolean left = ProcessHandle.allProcesses()
                    .anyMatch(handle -> workingDirectory(handle.pid()).startsWith(marker));
            if (!left) {
                return;
            }
            TimeUnit.MILLISECONDS.sleep(20);
        }
    }

    private static String workingDirectory(long pid) {
        try {
            return Files.readSymbolicLink(Path.of("/proc/" + pid + "/cwd")).toString();
        } catch (IOException _) {
            return "";
        }
    }

    private void initialize() throws IOException, InterruptedException {
        Cache.deleteTree(place.data());
        Files.createDirectories(place.data());
        Files.createDirectories(place.log().getParent());
        Unprivileged.own(place.data());
        Path passwordFile = Files.createTempFile("weir-postgres", ".password");
        try {
            Unprivileged.own(passwordFile);
            Files.writeString(passwordFile, password("postgres"));
            List<String> command = new ArrayList<>(Unprivileged.prefix());
            command.addAll(List.of(
                    PostgresBinaries.home().resolve("bin/initdb").toString(),
                    "-D",
                    place.data().toString(),
                    "-U",
                    "postgres",
                    "-A",
                    "scram-sha-256",
                    "--pwfile=" + passwordFile,
                    "--encoding=UTF8",
                    "--locale=C.UTF-8",
                    "--no-instructions"));
            ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
            builder.redirectOutput(ProcessBuilder.Redirect.appendTo(place.log().toFile()));
            builder.environment().putAll(place.environment());
            if (builder.start().waitFor() != 0) {
                Cache.deleteTree(place.data());
                throw new IOException("initdb failed; see " + place.log());
            }
        } finally {
            Files.deleteIfExists(passwordFile);
        }
    }

    private void createRolesAndDatabases() throws SQLException, IOException {
        try (Connection connection = connect("postgres", "postgres");
                Statement statement = connection.createStatement()) {
            if (!exists(statement, "select 1 from pg_roles where rolname = 'keycloak'")) {
                statement.execute("create role keycloak login password " + literal(password("keycloak")));
            }
            statement.execute(roles());
            if (!exists(statement, "select 1 from pg_database where datname = 'keycloak'")) {
                statement.execute("create database keycloak owner keycloak");
            }
            if (!exists(statement, "select 1 from pg_database where datname = 'weir'")) {
                statement.execute("create database weir owner weir_owner");
            }
        }
    }

    private static boolean exists(Statement statement, String query) throws SQLException {
        try (ResultSet rows = statement.executeQuery(query)) {
            return rows.next();
        }
    }

    // The product's own script, which administrators run by hand; it is harmless to run again.
    private String roles() throws IOException {
        try (InputStream in = Objects.requireNonNull(PostgresServer.class.getResourceAsStream("/db/roles.sql"))) {
            String script = new String(in.readAllBytes(), StandardCharsets.UTF_8);
            for (String role : LOGIN_ROLES) {
                script = script.replace(
                        "${" + role + "_password}", password(role).replace("'", "''"));
            }
            return script;
        }
    }

    private static String literal(String text) {
        return "'" + text.replace("'", "''") + "'";
    }
}
