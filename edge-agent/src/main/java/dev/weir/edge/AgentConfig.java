// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge;

import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Properties;
import org.jspecify.annotations.Nullable;

/**
 * The agent's settings, from a properties file.
 *
 * @param desiredFile {@code desired.file}: records from a file instead of Kafka
 * @param kafka       null exactly if {@code desiredFile} is set
 * @param httpPort    {@code http.port}: health and metrics pages; 0: none
 * @param publishFlows {@code flows.publish}: flow records and top sources go to Kafka
 */
public record AgentConfig(
        String nodeId,
        String popId,
        Path stateDir,
        Path engineSocket,
        Path guardSocket,
        Path birdDir,
        @Nullable Path desiredFile,
        @Nullable Kafka kafka,
        String httpAddress,
        int httpPort,
        boolean publishFlows) {

    /**
     * @param tombstoneRetention {@code kafka.tombstone.retention.hours}: the config topic's delete.retention.ms; a state
     *                           older than half of it is read anew
     */
    public record Kafka(String bootstrap, Path ca, Path certificate, Path key, Duration tombstoneRetention) {}

    /** @throws IOException naming the setting that is missing or wrong */
    public static AgentConfig load(Path file) throws IOException {
        Properties properties = new Properties();
        try (Reader reader = Files.newBufferedReader(file)) {
            properties.load(reader);
        }
        String desired = properties.getProperty("desired.file", "").strip();
        return new AgentConfig(
                required(properties, "node.id"),
                required(properties, "pop.id"),
                Path.of(required(properties, "state.dir")),
                Path.of(required(properties, "engine.socket")),
                Path.of(required(properties, "guard.socket")),
                Path.of(required(properties, "bird.dir")),
                desired.isEmpty() ? null : Path.of(desired),
                desired.isEmpty() ? kafka(properties) : null,
                properties.getProperty("http.address", "127.0.0.1").strip(),
                number(properties, "http.port", 0),
                !properties.getProperty("flows.publish", "true").strip().equals("false"));
    }

    private static Kafka kafka(Properties properties) throws IOException {
        return new Kafka(
                required(properties, "kafka.bootstrap"),
                Path.of(required(properties, "kafka.ca")),
                Path.of(required(properties, "kafka.cert")),
                Path.of(required(properties, "kafka.key")),
                Duration.ofHours(number(properties, "kafka.tombstone.retention.hours", 24)));
    }

    private static String required(Properties properties, String name) throws IOException {
        String value = properties.getProperty(name, "").strip();
        if (value.isEmpty()) {
            throw new IOException("the setting " + name + " is missing");
        }
        return value;
    }

    private static int number(Properties properties, String name, int otherwise) throws IOException {
        String value = properties.getProperty(name, "").strip();
        try {
            return value.isEmpty() ? otherwise : Integer.parseInt(value);
        } catch (NumberFormatException e) {
            throw new IOException("the setting " + name + " is not a number: " + value, e);
        }
    }
}
