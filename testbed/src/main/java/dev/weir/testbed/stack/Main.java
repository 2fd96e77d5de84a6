// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.stack;

import dev.weir.testbed.demo.Demo;
import dev.weir.testbed.drill.DrillStack;
import dev.weir.testbed.drill.Drills;
import dev.weir.testbed.scenario.Faults;
import dev.weir.testbed.scenario.ProjectAccess;
import dev.weir.testbed.topology.Topology;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * The commands of {@code ./weir} that need the stack.
 *
 * <p>The system properties {@code weir.clone} and {@code weir.state} say which one.
 */
public final class Main {
    private static final String USAGE = """
            usage: weir up [--detach] [--pops N] [--nodes M] | down [--wipe] | status [--json]
                        kill PART [--restart] | start PART | demo [--json]
                        drill NAME... [--connections N] [--json FILE]""";

    private final Path clone;
    private final Path state;
    private final List<String> arguments;

    private Main(List<String> arguments) {
        this.clone =
                Path.of(System.getProperty("weir.clone", ".")).toAbsolutePath().normalize();
        this.state = Path.of(
                        System.getProperty("weir.state", clone.resolve(".weir").toString()))
                .toAbsolutePath()
                .normalize();
        this.arguments = new ArrayList<>(arguments);
    }

    public static void main(String[] arguments) throws InterruptedException {
        int status;
        try {
            status = new Main(List.of(arguments)).run();
        } catch (IOException | IllegalArgumentException e) {
            System.err.println("weir: " + e.getMessage());
            status = 1;
        }
        System.exit(status);
    }

    private int run() throws IOException, InterruptedException {
        String command = arguments.isEmpty() ? "" : arguments.removeFirst();
        return switch (command) {
            case "up" -> up();
            case "down" -> down();
            case "status" -> status();
            case "kill" -> kill();
            case "start" -> start();
            case "demo" -> demo();
            case "drill" -> drill();
            default -> {
                System.err.println(USAGE);
                yield 2;
            }
        };
    }

    private int up() throws IOException, InterruptedException {
        long begin = System.nanoTime();
        boolean detach = flag("--detach");
        int pops = number("--pops", 2);
        int nodes = number("--nodes", 2);
        refuseRest();
        Settings running = Settings.load(clone, state);
        Settings settings = Settings.of(clone, state, pops, nodes);
        SupervisorClient supervisor = new SupervisorClient(settings);
        if (supervisor.alive()) {
            if (!running.shape().equals(settings.shape()) || !running.ports().equals(settings.ports())) {
                throw new IOException(
                        "another stack is up here, of " + running.shape().pops() + " PoPs with "
                                + running.shape().nodesPerPop() + " nodes each; run ./weir down first");
            }
        } else {
            new LeftOvers(running).remove();
            new LeftOvers(settings).claim();
            settings.save();
            supervisor.launch();
        }
        ConsoleProgress progress = progress();
        try {
            supervisor.command("up", progress);
        } catch (IOException e) {
            System.err.println();
            System.err.println("weir: " + e.getMessage());
            System.err.println("weir: taking down what had started; logs are in " + settings.logs());
            takeDown(settings, new ConsoleProgress(System.err, false));
            return 1;
        }
        System.out.printf("Up in %.1f s%n", (System.nanoTime() - begin) / 1e9);
        // A script that waits for the end of `up` would wait for ever.
        if (!detach && onTerminal()) {
            follow(settings, supervisor);
        }
        return 0;
    }

    /** Tells the traffic every ten seconds until the terminal's Ctrl-C, which takes the stack down. */
    private static void follow(Settings settings, SupervisorClient supervisor)
            throws IOException, InterruptedException {
        System.out.println("Ctrl-C takes it down; ./weir up --detach leaves it running");
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            try {
                takeDown(settings, new ConsoleProgress(System.out, false));
            } catch (IOException e) {
                System.err.println("weir: " + e.getMessage());
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
            }
        }));
        while (supervisor.alive()) {
            TimeUnit.SECONDS.sleep(10);
            supervisor.command("traffic", new ConsoleProgress(System.out, false));
        }
    }

    private int down() throws IOException, InterruptedException {
        boolean wipe = flag("--wipe");
        refuseRest();
        Settings settings = Settings.load(clone, state);
        takeDown(settings, progress());
        if (wipe) {
            LeftOvers.deleteTree(settings.data());
            LeftOvers.deleteTree(state.resolve("env"));
            LeftOvers.deleteTree(settings.logs());
            Files.deleteIfExists(state.resolve("settings.properties"));
        }
        return 0;
    }

    private static void takeDown(Settings settings, Progress progress) throws IOException, InterruptedException {
        SupervisorClient supervisor = new SupervisorClient(settings);
        if (supervisor.alive()) {
            try {
                supervisor.command("down", progress);
                for (int i = 0; i < 100 && supervisor.alive(); i++) {
                    Thread.sleep(20);
                }
            } catch (IOException e) {
                progress.note("not taken down in order: " + e.getMessage());
            }
        }
        new LeftOvers(settings).remove();
    }

    private int status() throws IOException {
        boolean json = flag("--json");
        refuseRest();
        Settings settings = Settings.load(clone, state);
        SupervisorClient supervisor = new SupervisorClient(settings);
        List<String> answer = new ArrayList<>();
        if (supervisor.alive()) {
            supervisor.command("status", new Collected(answer));
        } else {
            answer.add("{\"parts\":[{\"name\":\"supervisor\",\"up\":false}],\"sample\":{\"url\":null}}");
        }
        JsonNode status = JsonMapper.shared().readTree(String.join("", answer));
        boolean allUp = true;
        for (JsonNode part : status.required("parts")) {
            boolean up = part.required("up").booleanValue();
            allUp &= up;
            if (!json) {
                System.out.printf("  %-22s %s%n", part.required("name").stringValue(), up ? "up" : "DOWN");
            }
        }
        if (json) {
            System.out.println(status);
        } else if (supervisor.alive()) {
            supervisor.command("summary", new ConsoleProgress(System.out, false));
        }
        return allUp ? 0 : 1;
    }

    private int kill() throws IOException {
        boolean restart = flag("--restart");
        return tell(restart ? "crash " : "kill ");
    }

    private int start() throws IOException {
        return tell("start ");
    }

    private int demo() throws IOException, InterruptedException {
        boolean json = flag("--json");
        refuseRest();
        Settings settings = Settings.load(clone, state);
        SupervisorClient supervisor = new SupervisorClient(settings);
        if (!supervisor.alive()) {
            throw new IOException("nothing runs here; ./weir up first");
        }
        boolean ok = Demo.run(
                ProjectAccess.ofExports(settings.env("acme")),
                new Topology(settings.shape()),
                new SupervisedFaults(supervisor),
                settings.data().resolve("clients"),
                json,
                System.out);
        return ok ? 0 : 1;
    }

    private int drill() throws IOException, InterruptedException {
        int connections = number("--connections", 2000);
        Optional<Path> file = value("--json").map(Path::of);
        List<String> names = arguments.isEmpty() || arguments.equals(List.of("all")) ? Drills.names() : arguments;
        Settings settings = Settings.load(clone, state);
        SupervisorClient supervisor = new SupervisorClient(settings);
        if (!supervisor.alive()) {
            throw new IOException("nothing runs here; ./weir up first");
        }
        List<Map<String, Object>> seen = new ArrayList<>();
        for (String name : names) {
            seen.add(Drills.run(
                    name,
                    new DrillStack(
                            ProjectAccess.ofExports(settings.env("acme")),
                            new Topology(settings.shape()),
                            new SupervisedFaults(supervisor),
                            settings.data().resolve("kafka"),
                            settings.data().resolve("clients")),
                    connections,
                    System.out));
        }
        if (file.isPresent()) {
            Files.writeString(file.get(), JsonMapper.shared().writeValueAsString(seen) + "\n");
        }
        return seen.stream().allMatch(each -> Boolean.TRUE.equals(each.get("ok"))) ? 0 : 1;
    }

    private int tell(String verb) throws IOException {
        if (arguments.isEmpty()) {
            System.err.println(USAGE);
            return 2;
        }
        String part = arguments.removeFirst();
        refuseRest();
        SupervisorClient supervisor = new SupervisorClient(Settings.load(clone, state));
        if (!supervisor.alive()) {
            throw new IOException("nothing runs here; ./weir up first");
        }
        supervisor.command(verb + part, new ConsoleProgress(System.out, false));
        return 0;
    }

    private static ConsoleProgress progress() {
        return new ConsoleProgress(System.out, onTerminal());
    }

    private static boolean onTerminal() {
        return System.console() != null && System.console().isTerminal();
    }

    private boolean flag(String name) {
        return arguments.remove(name);
    }

    private int number(String name, int otherwise) {
        Optional<String> value = value(name);
        if (value.isPresent() && !value.get().matches("\\d{1,5}")) {
            throw new IllegalArgumentException(name + " needs a number");
        }
        return value.map(Integer::parseInt).orElse(otherwise);
    }

    private Optional<String> value(String name) {
        int at = arguments.indexOf(name);
        if (at < 0) {
            return Optional.empty();
        }
        if (at + 1 >= arguments.size()) {
            throw new IllegalArgumentException(name + " needs a value");
        }
        arguments.remove(at);
        return Optional.of(arguments.remove(at));
    }

    private void refuseRest() {
        if (!arguments.isEmpty()) {
            throw new IllegalArgumentException("unknown argument " + arguments.getFirst() + "\n" + USAGE);
        }
    }

    /** Kills and starts through the supervisor, without a word. */
    private record SupervisedFaults(SupervisorClient supervisor) implements Faults {
        @Override
        public void kill(String part) throws IOException {
            supervisor.command("kill " + part, new Collected(new ArrayList<>()));
        }

        @Override
        public void start(String part) throws IOException {
            supervisor.command("start " + part, new Collected(new ArrayList<>()));
        }
    }

    private record Collected(List<String> lines) implements Progress {
        @Override
        public void began(String step) {}

        @Override
        public void done(String step, Duration took) {}

        @Override
        public void note(String text) {
            lines.add(text);
        }
    }
}
