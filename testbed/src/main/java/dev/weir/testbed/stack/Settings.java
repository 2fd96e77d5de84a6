// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.stack;

import dev.weir.testbed.topology.Shape;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.Properties;

/**
 * What one stack is: its place, its size, its ports. Written when it comes up, so that later commands mean the same stack.
 *
 * @param source   the working tree it was built from
 * @param state    where everything it writes lies, {@code .weir} in the clone unless {@code WEIR_STATE_DIR} names another place
 * @param instance marks its processes by the environment variable {@link #MARK}
 */
record Settings(Path source, Path state, String instance, Shape shape, Ports ports) {
    static final String MARK = "WEIR_INSTANCE";

    private static final String FILE = "settings.properties";

    /** Ports on the loopback address, save for Kafka's, which is on the management network. */
    record Ports(int postgres, int keycloak, int api, int provisioner, int dashboard, int kafka) {
        /** Metrics of the api. */
        int apiManagement() {
            return api + 10;
        }
    }

    /** The settings of the stack that was last brought up here. */
    static Settings load(Path source, Path state) throws IOException {
        Properties saved = saved(state);
        return new Settings(
                source,
                state,
                saved.getProperty("instance", newInstance()),
                new Shape(
                        saved.getProperty("prefix", environment("WEIR_PREFIX", "weir-")),
                        number(saved, "pops", 2),
                        number(saved, "nodes", 2),
                        Shape.standard().backendsPerPop(),
                        number(saved, "network", network())),
                new Ports(
                        number(saved, "port.postgres", port("POSTGRES", 15432)),
                        number(saved, "port.keycloak", port("KEYCLOAK", 18080)),
                        number(saved, "port.api", port("API", 18081)),
                        number(saved, "port.provisioner", port("PROVISIONER", 18082)),
                        number(saved, "port.dashboard", port("DASHBOARD", 18083)),
                        number(saved, "port.kafka", port("KAFKA", 9094))));
    }

    /** The settings for bringing a stack up now: the environment's ports and prefix, the size asked for. */
    static Settings of(Path source, Path state, int pops, int nodes) throws IOException {
        Properties saved = saved(state);
        return new Settings(
                source,
                state,
                saved.getProperty("instance", newInstance()),
                Shape.standard()
                        .withPrefix(environment("WEIR_PREFIX", "weir-"))
                        .withSize(pops, nodes)
                        .withNetwork(network()),
                new Ports(
                        port("POSTGRES", 15432),
                        port("KEYCLOAK", 18080),
                        port("API", 18081),
                        port("PROVISIONER", 18082),
                        port("DASHBOARD", 18083),
                        port("KAFKA", 9094)));
    }

    void save() throws IOException {
        Properties properties = new Properties();
        properties.setProperty("instance", instance);
        properties.setProperty("prefix", shape.prefix());
        properties.setProperty("pops", Integer.toString(shape.pops()));
        properties.setProperty("nodes", Integer.toString(shape.nodesPerPop()));
        properties.setProperty("network", Integer.toString(shape.network()));
        properties.setProperty("port.postgres", Integer.toString(ports.postgres()));
        properties.setProperty("port.keycloak", Integer.toString(ports.keycloak()));
        properties.setProperty("port.api", Integer.toString(ports.api()));
        properties.setProperty("port.provisioner", Integer.toString(ports.provisioner()));
        properties.setProperty("port.dashboard", Integer.toString(ports.dashboard()));
        properties.setProperty("port.kafka", Integer.toString(ports.kafka()));
        Files.createDirectories(state);
        try (OutputStream out = Files.newOutputStream(state.resolve(FILE))) {
            properties.store(out, null);
        }
    }

    Path run() {
        return state.resolve("run");
    }

    Path logs() {
        return state.resolve("logs");
    }

    Path data() {
        return state.resolve("data");
    }

    /** What {@code env} prints, one file per project and one for operators. */
    Path env(String name) {
        return state.resolve("env").resolve(name + ".sh");
    }

    /** Relative to the working directory where that is shorter: a Unix socket's path may have 107 bytes. */
    Path socket() {
        Path absolute = run().resolve("supervisor.sock").toAbsolutePath();
        Path relative = Path.of("").toAbsolutePath().relativize(absolute);
        return relative.toString().length() < absolute.toString().length() ? relative : absolute;
    }

    private static Properties saved(Path state) throws IOException {
        Properties saved = new Properties();
        Path file = state.resolve(FILE);
        if (Files.exists(file)) {
            try (InputStream in = Files.newInputStream(file)) {
                saved.load(in);
            }
        }
        return saved;
    }

    private static int number(Properties saved, String key, int otherwise) {
        return Integer.parseInt(saved.getProperty(key, Integer.toString(otherwise)));
    }

    private static int network() {
        String value = environment("WEIR_NETWORK", Integer.toString(Shape.STANDARD_NETWORK));
        if (!value.matches("\\d{3}")) {
            throw new IllegalArgumentException(
                    "WEIR_NETWORK=" + value + " is not the N of a network 10.N.0.0/24, 100 to 255");
        }
        return Integer.parseInt(value);
    }

    private static int port(String part, int otherwise) {
        String name = "WEIR_" + part + "_PORT";
        String value = environment(name, Integer.toString(otherwise));
        if (!value.matches("\\d{1,5}") || Integer.parseInt(value) < 1 || Integer.parseInt(value) > 65535) {
            throw new IllegalArgumentException(name + "=" + value + " is no port");
        }
        return Integer.parseInt(value);
    }

    private static String environment(String name, String otherwise) {
        String value = System.getenv(name);
        return value == null || value.isBlank() ? otherwise : value;
    }

    private static String newInstance() {
        byte[] bytes = new byte[8];
        new SecureRandom().nextBytes(bytes);
        return HexFormat.of().formatHex(bytes);
    }
}
