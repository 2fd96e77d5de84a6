// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.traffic;

import dev.weir.testbed.topology.Shell;
import dev.weir.testbed.topology.Topology;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.PropertyNamingStrategies;
import tools.jackson.databind.json.JsonMapper;

/** A client's namespace, from which real connections are made; the client counts for itself what it did. */
public final class Client {
    private static final String SCRIPT = "client.py";
    private static final JsonMapper JSON = JsonMapper.builder()
            .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .build();
    private static final Duration LONGEST = Duration.ofMinutes(5);

    private final Topology topology;
    private final String place;
    private final Path script;

    /**
     * @param place     {@code client1} and so on
     * @param directory receives the client's program
     */
    public Client(Topology topology, String place, Path directory) throws IOException {
        this.topology = topology;
        this.place = place;
        this.script = PackagedScript.unpack(SCRIPT, directory.toAbsolutePath());
    }

    /** {@code curl} with a new connection; the answer's body. */
    public Shell.Result curl(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("curl", "-sS", "--max-time", "5"));
        command.addAll(Arrays.asList(arguments));
        return Shell.run(topology.in(place, command));
    }

    /** Fetches {@code requests} times, each time on a new connection, {@code parallel} at once. */
    public HttpResult http(String host, int port, int requests, int parallel) throws IOException, InterruptedException {
        return run(HttpResult.class, "http", host, port, requests, parallel);
    }

    /** Sends {@code datagrams} on each of {@code flows} sockets, waiting for each answer. */
    public UdpResult udp(String host, int port, int flows, int datagrams) throws IOException, InterruptedException {
        return run(UdpResult.class, "udp", host, port, flows, datagrams);
    }

    /** Opens connections on which backends stream, and returns once all do (or one failed to). */
    public Running<HeldResult> hold(String host, int port, int connections, Duration every) throws IOException {
        return new Running<>(HeldResult.class, "hold", host, port, connections, Math.toIntExact(every.toMillis()));
    }

    /** Sends datagrams of one flow at a steady rate until told to end. */
    public Running<DatagramsResult> datagrams(String host, int port, int perSecond) throws IOException {
        return new Running<>(DatagramsResult.class, "datagrams", host, port, perSecond);
    }

    /** Fetches at a steady rate, each time on a new connection, until told to end. */
    public Running<HttpResult> load(String host, int port, int perSecond) throws IOException {
        return new Running<>(HttpResult.class, "load", host, port, perSecond);
    }

    private <T> T run(Class<T> type, String mode, String host, int port, int... numbers)
            throws IOException, InterruptedException {
        Shell.Result result = Shell.run(command(mode, host, port, numbers), "", LONGEST);
        if (!result.ok()) {
            throw new IOException(place + " failed: " + result.output().strip());
        }
        return read(type, result.output());
    }

    private static <T> T read(Class<T> type, String line) throws IOException {
        try {
            return JSON.readValue(line, type);
        } catch (JacksonException e) {
            throw new IOException("not what a client says: " + line, e);
        }
    }

    private List<String> command(String mode, String host, int port, int... numbers) {
        List<String> command = new ArrayList<>(
                List.of(PackagedScript.PYTHON, "-B", script.toString(), mode, host, Integer.toString(port)));
        Arrays.stream(numbers).mapToObj(Integer::toString).forEach(command::add);
        return topology.in(place, command);
    }

    /**
     * Traffic that runs until it is ended.
     *
     * @param <T> what the client says at the end
     */
    public final class Running<T> implements AutoCloseable {
        private final Class<T> type;
        private final Process process;
        private final BufferedReader output;
        private final T begin;

        private Running(Class<T> type, String mode, String host, int port, int... numbers) throws IOException {
            this.type = type;
            this.process = new ProcessBuilder(command(mode, host, port, numbers))
                    .redirectError(Redirect.INHERIT)
                    .start();
            this.output = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
            @Nullable String line = output.readLine();
            if (line == null) {
                process.destroyForcibly();
                throw new IOException(place + " could not begin: " + mode);
            }
            this.begin = read(type, line);
        }

        /** What the client said when everything ran. */
        public T begin() {
            return begin;
        }

        /** What the client has seen from the beginning until now. */
        public T look() throws IOException {
            OutputStream input = process.getOutputStream();
            input.write('\n');
            input.flush();
            @Nullable String line = output.readLine();
            if (line == null) {
                throw new IOException(place + " ended unasked");
            }
            return read(type, line);
        }

        /** Ends the traffic and returns what the client saw from beginning to end. */
        public T end() throws IOException, InterruptedException {
            process.getOutputStream().close();
            @Nullable String line = output.readLine();
            if (line == null || !process.waitFor(30, TimeUnit.SECONDS)) {
                throw new IOException(place + " did not end well");
            }
            return read(type, line);
        }

        @Override
        public void close() {
            process.destroyForcibly();
        }
    }
}
