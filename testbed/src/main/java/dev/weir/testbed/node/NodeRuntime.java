// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.node;

import dev.weir.testbed.Part;
import dev.weir.testbed.topology.Layout;
import dev.weir.testbed.topology.NamespacePart;
import dev.weir.testbed.topology.NodePlan;
import dev.weir.testbed.topology.Topology;
import java.io.IOException;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * One node: its engine, its guard (with BIRD as the guard's child) and its agent, in the node's namespace. Each is a
 * part of its own, started again at once when it dies; none waits for another.
 */
public final class NodeRuntime {
    /** Where every agent serves health and metrics, in its node's namespace. */
    public static final int AGENT_HTTP_PORT = 9100;

    /** Key and certificate of a node, in its folder. */
    public static final String IDENTITY = NodeFiles.AGENT_STATE + "/node.pem";

    private static final Duration LONGEST_ENROLMENT = Duration.ofMinutes(2);

    private static final Path SHM = Path.of("/dev/shm/weir");

    private final Topology topology;
    private final NodePlan node;
    private final NodePrograms programs;
    private final NodeFiles files;
    private final Layout layout;
    private final NamespacePart engine;
    private final NamespacePart guard;
    private final NamespacePart agent;

    public NodeRuntime(Topology topology, NodePlan node, NodePrograms programs, Layout layout) {
        this.topology = topology;
        this.node = node;
        this.programs = programs;
        this.layout = layout;
        this.files = new NodeFiles(
                layout.data().resolve(node.name()), SHM.resolve(topology.shape().namespace(node.name())));
        this.engine = part("engine", engineCommand(), _ -> new Heartbeat(files.heartbeat()).beats(), () -> {});
        this.guard = part(
                "guard",
                guardCommand(),
                pid -> GuardClient.status(pid, NodeFiles.GUARD_SOCKET).startsWith("{"),
                () -> {});
        this.agent =
                part("agent", agentCommand(), NamespacePart.listensOn(AGENT_HTTP_PORT), this::requireAgentProperties);
    }

    public NodePlan plan() {
        return node;
    }

    public NamespacePart engine() {
        return engine;
    }

    public NamespacePart guard() {
        return guard;
    }

    public NamespacePart agent() {
        return agent;
    }

    /** Engine, guard, agent: {@code pop1-node1-engine} and so on. */
    public List<Part> parts() {
        return List.of(engine, guard, agent);
    }

    /** Whether the agent was told who it is, now or in an earlier life of the testbed. */
    public boolean enrolled() {
        return Files.exists(files.agentProperties());
    }

    /**
     * Tells the agent who it is; needed before its first start.
     *
     * @param properties what the node's own paths do not say: {@code node.id}, {@code pop.id}, {@code kafka.*} or
     *                   {@code desired.file}; relative paths count from the node's folder
     * @return whether anything changed, so that a running agent must be started again
     */
    public boolean enrol(Map<String, String> properties) throws IOException {
        Map<String, String> all = new TreeMap<>(Map.of(
                "state.dir", NodeFiles.AGENT_STATE,
                "engine.socket", NodeFiles.ENGINE_SOCKET,
                "guard.socket", NodeFiles.GUARD_SOCKET,
                "bird.dir", NodeFiles.BIRD,
                "http.address", "0.0.0.0",
                "http.port", Integer.toString(AGENT_HTTP_PORT)));
        all.putAll(properties);
        String text = all.entrySet().stream()
                .map(entry -> entry.getKey() + "=" + entry.getValue() + "\n")
                .collect(Collectors.joining());
        Path file = files.agentProperties();
        if (Files.exists(file) && Files.readString(file).equals(text)) {
            return false;
        }
        files.makeDirectories();
        Path next = file.resolveSibling(NodeFiles.AGENT_PROPERTIES + ".next");
        Files.writeString(next, text);
        Files.move(next, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
        return true;
    }

    /** What the agent was told. */
    public String nodeId() throws IOException {
        return property("node.id");
    }

    /** What the agent was told. */
    public String popId() throws IOException {
        return property("pop.id");
    }

    private String property(String name) throws IOException {
        Properties properties = new Properties();
        try (Reader reader = Files.newBufferedReader(files.agentProperties())) {
            properties.load(reader);
        }
        return Objects.requireNonNull(properties.getProperty(name), name);
    }

    /** Where the node's key and certificate are or will be. */
    public Path identity() {
        return files.directory().resolve(IDENTITY);
    }

    /**
     * Lets the agent's own program get the node's certificate, from outside of the node's namespace.
     *
     * @param token an operator's, for this node
     */
    public void certify(String token) throws IOException, InterruptedException {
        Path tokenFile = files.directory().resolve("run/token");
        Path output = layout.logs().resolve(node.name() + "-enrolment.log");
        Files.deleteIfExists(tokenFile);
        Files.createFile(tokenFile, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Files.writeString(tokenFile, token);
        List<String> command = agentJava();
        command.addAll(List.of("enroll", "--config", NodeFiles.AGENT_PROPERTIES, "--token-file", tokenFile.toString()));
        Process process = new ProcessBuilder(command)
                .directory(files.directory().toFile())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        if (!process.waitFor(LONGEST_ENROLMENT.toSeconds(), TimeUnit.SECONDS)) {
            process.destroyForcibly();
        }
        if (process.waitFor() != 0) {
            throw new IOException(node.name() + " got no certificate: "
                    + Files.readString(output).strip());
        }
    }

    /** The node's folder. */
    public Path directory() {
        return files.directory();
    }

    /** Takes away what a stopped engine keeps in memory: flows, ports, counters. */
    public void forgetFlows() throws IOException {
        deleteTree(files.shm());
    }

    /** As {@link #forgetFlows()}, for all nodes with this prefix, known or not; for a launcher that cleans up. */
    public static void forgetAllFlows(String prefix) throws IOException {
        if (!Files.isDirectory(SHM)) {
            return;
        }
        try (Stream<Path> nodes = Files.list(SHM)) {
            for (Path path : nodes.toList()) {
                if (path.getFileName().toString().matches(prefix + "pop\\d+-node\\d+")) {
                    deleteTree(path);
                }
            }
        }
        try (Stream<Path> left = Files.list(SHM)) {
            if (left.findAny().isEmpty()) {
                Files.deleteIfExists(SHM);
            }
        }
    }

    private NamespacePart part(
            String kind, List<String> command, NamespacePart.Readiness readiness, NamespacePart.Step before) {
        String name = node.name() + "-" + kind;
        NamespacePart.Program program =
                new NamespacePart.Program(name, node.name(), command, files.directory(), Duration.ofSeconds(30));
        return new NamespacePart(
                topology,
                layout,
                program,
                readiness,
                () -> {
                    files.makeDirectories();
                    before.run();
                },
                () -> {});
    }

    private List<String> engineCommand() {
        String name = topology.shape().namespace(node.name());
        return List.of(
                programs.engine().toString(),
                "--no-huge",
                "-m",
                "192",
                "--no-telemetry",
                "--no-shconf",
                "--file-prefix",
                name,
                "--no-pci",
                "--vdev",
                "net_af_packet0,iface=data0",
                "--lcores",
                "0@(0-1),1@(0-1)",
                "--",
                "--socket",
                NodeFiles.ENGINE_SOCKET,
                "--state-dir",
                NodeFiles.ENGINE_STATE,
                "--heartbeat",
                files.heartbeat().toString(),
                "--shm-dir",
                files.shm().toString(),
                "--flow-entries",
                "65536");
    }

    private List<String> guardCommand() {
        return List.of(
                programs.guard().toString(),
                "--heartbeat",
                files.heartbeat().toString(),
                "--bird-dir",
                NodeFiles.BIRD,
                "--socket",
                NodeFiles.GUARD_SOCKET,
                "--",
                "bird",
                "-f",
                "-c",
                NodeFiles.BIRD + "/bird.conf",
                "-s",
                NodeFiles.BIRD + "/bird.ctl");
    }

    private List<String> agentCommand() {
        List<String> command = agentJava();
        command.addAll(List.of("--config", NodeFiles.AGENT_PROPERTIES));
        return command;
    }

    private List<String> agentJava() {
        return new ArrayList<>(List.of(
                programs.java().toString(),
                "-Xmx96m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-XX:+ExitOnOutOfMemoryError",
                "-Djava.net.preferIPv4Stack=true",
                "-jar",
                programs.agentJar().toString()));
    }

    private void requireAgentProperties() throws IOException {
        if (!enrolled()) {
            throw new IOException(node.name() + " is not enrolled yet: its agent does not know its node id");
        }
    }

    private static void deleteTree(Path root) throws IOException {
        if (!Files.exists(root)) {
            return;
        }
        try (Stream<Path> paths = Files.walk(root)) {
            paths.sorted(Comparator.reverseOrder()).forEach(path -> {
                try {
                    Files.deleteIfExists(path);
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
        } catch (UncheckedIOException e) {
            throw new IOException("cannot remove " + root, e.getCause());
        }
    }
}
