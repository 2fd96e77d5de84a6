// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.stack;

import dev.weir.testbed.node.NodeRuntime;
import dev.weir.testbed.process.PidFile;
import dev.weir.testbed.topology.Topology;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * Finds and ends what a stack left on the machine, whether its supervisor lives or not: by pid files, by the mark in every
 * process's environment, and by the names of namespaces.
 */
final class LeftOvers {
    private static final Path OWNERS = Path.of("/run/weir");

    private final Settings settings;
    private final Topology topology;

    LeftOvers(Settings settings) {
        this.settings = settings;
        this.topology = new Topology(settings.shape());
    }

    /**
     * Notes that the namespaces of this prefix are ours.
     *
     * @throws IOException in one line, when they belong to someone else
     */
    void claim() throws IOException {
        List<String> existing = topology.existing();
        Path ownerFile = ownerFile();
        String owner = Files.exists(ownerFile) ? Files.readString(ownerFile).strip() : "";
        boolean ours = owner.startsWith(settings.instance() + " ");
        if (!existing.isEmpty() && !ours) {
            String namespace = settings.shape().namespace(existing.getFirst());
            throw new IOException(
                    owner.isEmpty()
                            ? "network namespace " + namespace
                                    + " exists already and is not Weir's: remove it (ip netns del " + namespace
                                    + ") or choose other names with WEIR_PREFIX"
                            : "the network namespaces " + settings.shape().prefix() + "* belong to the stack in "
                                    + owner.substring(owner.indexOf(' ') + 1) + ": run ./weir down there first");
        }
        Files.createDirectories(OWNERS);
        Files.writeString(
                ownerFile, settings.instance() + " " + settings.source().toAbsolutePath() + "\n");
    }

    /** Kills every process of the stack and removes its namespaces, shared memory and sockets; keeps its data. */
    void remove() throws IOException, InterruptedException {
        killMarked();
        Path ownerFile = ownerFile();
        boolean ours = Files.exists(ownerFile) && Files.readString(ownerFile).startsWith(settings.instance() + " ");
        if (ours) {
            topology.remove();
            NodeRuntime.forgetAllFlows(settings.shape().prefix());
            Files.deleteIfExists(ownerFile);
            try (Stream<Path> others = Files.list(OWNERS)) {
                if (others.findAny().isEmpty()) {
                    Files.deleteIfExists(OWNERS);
                }
            }
        }
        deleteTree(settings.run());
    }

    static void deleteTree(Path directory) throws IOException {
        if (!Files.exists(directory)) {
            return;
        }
        try (Stream<Path> paths = Files.walk(directory)) {
            for (Path path : paths.sorted(java.util.Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(path);
            }
        }
    }

    private Path ownerFile() {
        return OWNERS.resolve(settings.shape().prefix() + "owner");
    }

    private void killMarked() throws IOException, InterruptedException {
        // A process may start another between our look and our kill, so look until nothing is found.
        for (int round = 0; round < 200; round++) {
            Set<Long> found = marked();
            if (found.isEmpty()) {
                return;
            }
            found.forEach(pid -> ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly));
            TimeUnit.MILLISECONDS.sleep(25);
        }
        throw new IOException("some processes of the stack do not end: " + marked());
    }

    private Set<Long> marked() throws IOException {
        Set<Long> found = new HashSet<>();
        byte[] mark = (Settings.MARK + "=" + settings.instance()).getBytes(StandardCharsets.UTF_8);
        Path data = settings.data().resolve("postgres").toAbsolutePath();
        long self = ProcessHandle.current().pid();
        for (ProcessHandle process : ProcessHandle.allProcesses().toList()) {
            long pid = process.pid();
            // PostgreSQL's backends overwrite their environment, but work in the data directory.
            if (pid != self && PidFile.isRunning(pid) && (hasMark(pid, mark) || isBackend(pid, data))) {
                found.add(pid);
            }
        }
        if (Files.isDirectory(settings.run())) {
            try (Stream<Path> pidFiles = Files.list(settings.run())) {
                for (Path file : pidFiles.filter(path -> path.toString().endsWith(".pid"))
                        .toList()) {
                    new PidFile(file).living().map(ProcessHandle::pid).ifPresent(found::add);
                }
            }
        }
        found.remove(self);
        return found;
    }

    private static boolean isBackend(long pid, Path directory) {
        try {
            Path process = Path.of("/proc/" + pid);
            return Files.readSymbolicLink(process.resolve("cwd")).equals(directory)
                    && Files.readSymbolicLink(process.resolve("exe")).endsWith("postgres");
        } catch (IOException _) {
            return false;
        }
    }

    private static boolean hasMark(long pid, byte[] mark) {
        try {
            byte[] environment = Files.readAllBytes(Path.of("/proc/" + pid + "/environ"));
            return (" " + new String(environment, StandardCharsets.UTF_8).replace('\0', '\n') + "\n")
                    .contains(new String(mark, StandardCharsets.UTF_8) + "\n");
        } catch (IOException _) {
            return false;
        }
    }
}
