// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.topology;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The testbed's namespaces and links. They are the kernel's: they outlive the process that made them, and any later one
 * finds them by their names.
 *
 * <p>Networks: management 10.200.0.0/24 (or another) and backbone 10.201.0.0/24, both bridges in the namespace {@code core}; per PoP
 * p the engines' LAN 10.p.0.0/24, the control network 10.p.1.0/24, the members' network 10.p.20.0/24 and the clients'
 * 192.0.2.0/26, 192.0.2.64/26, ….
 */
public final class Topology {
    private static final Pattern PLACE =
            Pattern.compile("core|pop\\d+-(router|members|node\\d+)|client\\d+|backend\\d+");
    private static final Path NAMESPACES = Path.of("/run/netns");

    private final Shape shape;

    public Topology(Shape shape) {
        this.shape = shape;
    }

    public Shape shape() {
        return shape;
    }

    /** Every place of this shape, as {@code client1} or {@code pop1-node1}. */
    public List<String> places() {
        return Stream.of(
                        Stream.of("core"),
                        shape.popPlans().stream().flatMap(pop -> Stream.of(pop.router(), pop.members())),
                        shape.nodes().stream().map(NodePlan::name),
                        shape.backends().stream().map(BackendPlan::name),
                        shape.clients().stream().map(ClientPlan::name))
                .flatMap(places -> places)
                .toList();
    }

    /** The command that runs {@code command} in a place; it replaces itself by the command. */
    public List<String> in(String place, List<String> command) {
        List<String> whole = new ArrayList<>(List.of("ip", "netns", "exec", shape.namespace(place)));
        whole.addAll(command);
        return List.copyOf(whole);
    }

    /** Whether every namespace is there. */
    public boolean up() throws IOException {
        return existing().containsAll(places());
    }

    /**
     * Makes all namespaces and links; does nothing when they are there.
     *
     * @throws IOException if the machine refuses, or something of another shape is in the way; nothing is left then
     */
    public void create() throws IOException, InterruptedException {
        List<String> existing = existing();
        if (existing.containsAll(places()) && existing.size() == places().size()) {
            return;
        }
        if (!existing.isEmpty()) {
            remove();
        }
        refuseForeignAddress();
        try {
            Shell.script("laying out the network namespaces", new TopologyScript(shape, places()).text());
        } catch (IOException e) {
            remove();
            throw e;
        }
    }

    /** Ends every process in the namespaces of this prefix, of whatever shape, and removes them. */
    public void remove() throws IOException, InterruptedException {
        List<String> existing = existing();
        StringBuilder script = new StringBuilder();
        for (String place : existing) {
            String namespace = shape.namespace(place);
            script.append("ip netns pids ")
                    .append(namespace)
                    .append(" 2>/dev/null | xargs -r kill -9 2>/dev/null || true\n");
        }
        for (String place : existing) {
            String namespace = shape.namespace(place);
            script.append("ip netns del ").append(namespace).append("\n");
        }
        script.append("ip link del ").append(launcherLink()).append(" 2>/dev/null || true\n");
        // The mount that the first namespace of a machine needs; refused while anybody still has one.
        script.append("[ -n \"$(ls -A /run/netns 2>/dev/null)\" ] || umount /run/netns 2>/dev/null || true\n");
        Shell.script("removing the network namespaces", script.toString());
    }

    /** The places of this prefix that exist now, whoever made them and of whatever shape. */
    public List<String> existing() throws IOException {
        if (!Files.isDirectory(NAMESPACES)) {
            return List.of();
        }
        try (Stream<Path> entries = Files.list(NAMESPACES)) {
            return entries.map(path -> path.getFileName().toString())
                    .filter(name -> name.startsWith(shape.prefix()))
                    .map(name -> name.substring(shape.prefix().length()))
                    .filter(place -> PLACE.matcher(place).matches())
                    .sorted()
                    .toList();
        }
    }

    private String launcherLink() {
        return shape.prefix() + "mgmt";
    }

    private void refuseForeignAddress() throws IOException, InterruptedException {
        if (shape.network() == 0) {
            return;
        }
        Shell.Result routes = Shell.run(
                List.of("ip", "-4", "-o", "addr", "show", "to", shape.managementPrefix()), "", Duration.ofSeconds(5));
        Optional<String> foreign = routes.output()
                .lines()
                .filter(line -> !line.contains(" " + launcherLink() + " "))
                .findFirst();
        if (foreign.isPresent()) {
            throw new IOException("this machine already uses " + shape.managementPrefix()
                    + ", which the testbed needs: " + foreign.get().strip());
        }
    }
}
