// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge;

import dev.weir.edge.health.HealthLimits;
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
 * @param healthLimits {@code health.…}: what probes alone may take out of service
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
        boolean publishFlows,
        HealthLimits healthLimits) {

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
                !properties.getProperty("flows.publish", "true").strip().equals("false"),
                healthLimits(properties));
    }

    private static HealthLimits healthLimits(Properties properties) throws IOException {
        HealthLimits otherwise = HealthLimits.defaults();
        return new HealthLimits(
                number(properties, "health.removal.percent", otherwise.removalPercent()),
                seconds(properties, "health.removal.window.seconds", otherwise.removalWindow()),
                number(properties, "health.flap.removals", otherwise.flapRemovals()),
                seconds(properties, "health.flap.hold.seconds", otherwise.flapHold()),
                seconds(properties, "health.flap.hold.max.seconds", otherwise.flapHoldMax()),
                seconds(properties, "health.flap.calm.seconds", otherwise.flapCalm()));
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

    private static Duration seconds(Properties properties, String name, Duration otherwise) throws IOException {
        return Duration.ofSeconds(number(properties, name, (int) otherwise.toSeconds()));
    }

    private static int number(Properties properties, String name, int otherwise) throws IOException {
        String value = properties.getProperty(name, "").strip();
        try {
            int parsed = value.isEmpty() ? otherwise : Integer.parseInt(value);
            if (parsed < 0) {
                throw new IOException("the setting " + name + " is negative: " + value);
            }
            return parsed;
        } catch (NumberFormatException e) {
            throw new IOException("the setting " + name + " is not a number: " + value, e);
        }
    }
}
