// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.stack;

import dev.weir.testbed.servers.PostgresServer;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import java.util.stream.Stream;

/** Passwords of database roles and secrets of Keycloak's machine clients: random, made once, kept beside the data. */
final class Secrets {
    private static final List<String> CLIENTS = List.of("weir-operator", "weir-api-admin", "admin");

    private final Properties values;

    private Secrets(Properties values) {
        this.values = values;
    }

    /** Reads the secrets that belong to the data in a directory, or makes them. */
    static Secrets open(Path data) throws IOException {
        Path file = data.resolve("secrets.properties");
        Properties values = new Properties();
        if (Files.exists(file)) {
            try (InputStream in = Files.newInputStream(file)) {
                values.load(in);
            }
        }
        List<String> names = Stream.concat(PostgresServer.LOGIN_ROLES.stream(), CLIENTS.stream())
                .toList();
        if (!values.keySet().containsAll(names)) {
            names.forEach(name -> values.putIfAbsent(name, random()));
            Files.createDirectories(data);
            Files.deleteIfExists(file);
            Files.createFile(file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
            try (OutputStream out = Files.newOutputStream(file)) {
                values.store(out, null);
            }
        }
        return new Secrets(values);
    }

    Map<String, String> databaseRoles() {
        return of(PostgresServer.LOGIN_ROLES);
    }

    Map<String, String> clients() {
        return of(CLIENTS);
    }

    String get(String name) {
        return Objects.requireNonNull(values.getProperty(name), name);
    }

    private Map<String, String> of(List<String> names) {
        return names.stream().collect(java.util.stream.Collectors.toUnmodifiableMap(name -> name, this::get));
    }

    private static String random() {
        byte[] bytes = new byte[20];
        new SecureRandom().nextBytes(bytes);
        return HexFormat.of().formatHex(bytes);
    }
}
