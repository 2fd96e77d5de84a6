// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.stack;

import dev.weir.testbed.Part;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * The background process that owns a stack's parts.
 *
 * <p>It takes one command per connection on a Unix socket, a line such as {@code kill api}, and answers in lines: {@code began STEP},
 * {@code done STEP MILLISECONDS}, {@code note TEXT}, at the end {@code ok} or {@code error TEXT}. It ends with the stack.
 */
final class Supervisor {
    private final Settings settings;
    private final Stack stack;
    // Bringing up and taking down exclude each other; faults and questions go on meanwhile.
    private final ReentrantLock whole = new ReentrantLock();
    private final CountDownLatch end = new CountDownLatch(1);

    private Supervisor(Settings settings) throws IOException, InterruptedException {
        this.settings = settings;
        this.stack = new Stack(settings);
    }

    /** Arguments: clone, state directory. */
    public static void main(String[] arguments) throws IOException, InterruptedException {
        Settings settings = Settings.load(Path.of(arguments[0]), Path.of(arguments[1]));
        new Supervisor(settings).run();
        System.exit(0);
    }

    private void run() throws IOException, InterruptedException {
        Files.createDirectories(settings.run());
        Path socket = settings.socket();
        Files.deleteIfExists(socket);
        try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            server.bind(UnixDomainSocketAddress.of(socket));
            Thread.ofVirtual().name("accept").start(() -> accept(server));
            while (!end.await(1, TimeUnit.SECONDS)) {
                stack.mend();
            }
        } finally {
            Files.deleteIfExists(socket);
        }
    }

    private void accept(ServerSocketChannel server) {
        while (true) {
            try {
                SocketChannel connection = server.accept();
                Thread.ofVirtual().name("command").start(() -> serve(connection));
            } catch (IOException _) {
                return;
            }
        }
    }

    private void serve(SocketChannel connection) {
        try (connection) {
            String line = new BufferedReader(
                            new InputStreamReader(Channels.newInputStream(connection), StandardCharsets.UTF_8))
                    .readLine();
            if (line == null || line.isBlank()) {
                return;
            }
            Reply reply = new Reply(Channels.newOutputStream(connection));
            System.out.println(line);
            try {
                obey(List.of(line.split(" ")), reply);
                reply.line("ok");
            } catch (IOException | RuntimeException e) {
                System.err.println(line + " failed: " + e.getMessage());
                reply.line("error " + (e.getMessage() == null ? e.toString() : e.getMessage()).replace("\n", "\\n"));
            }
            if (line.equals("down")) {
                end.countDown();
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        } catch (IOException e) {
            System.err.println("a connection failed: " + e.getMessage());
        }
    }

    private void obey(List<String> words, Reply reply) throws IOException, InterruptedException {
        String argument = words.size() > 1 ? words.get(1) : "";
        switch (words.getFirst()) {
            case "up" -> {
                whole.lock();
                try {
                    stack.up(reply);
                } finally {
                    whole.unlock();
                }
            }
            case "down" -> {
                whole.lock();
                try {
                    stack.down(reply);
                } finally {
                    whole.unlock();
                }
            }
            case "kill" -> stack.kill(argument, false);
            case "crash" -> stack.kill(argument, true);
            case "start" -> stack.start(argument);
            case "status" -> reply.note(status());
            case "summary" -> stack.summary().forEach(reply::note);
            case "traffic" -> stack.traffic().ifPresent(reply::note);
            default -> throw new IOException("unknown command " + words.getFirst());
        }
    }

    private String status() throws InterruptedException {
        Map<String, Future<Boolean>> looks = new LinkedHashMap<>();
        ObjectNode status = JsonMapper.shared().createObjectNode();
        ArrayNode parts = status.putArray("parts");
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (Part part : stack.parts()) {
                Callable<Boolean> look = part::up;
                looks.put(part.name(), threads.submit(look));
            }
            for (Map.Entry<String, Future<Boolean>> look : looks.entrySet()) {
                boolean up;
                try {
                    up = look.getValue().get();
                } catch (ExecutionException _) {
                    up = false;
                }
                parts.addObject().put("name", look.getKey()).put("up", up);
            }
        }
        status.putObject("sample").put("url", stack.sampleUrl());
        return status.toString();
    }

    /** Writes lines; a client that went away does not stop the command. */
    private static final class Reply implements Progress {
        private final OutputStream out;

        Reply(OutputStream out) {
            this.out = out;
        }

        synchronized void line(String text) {
            try {
                out.write((text + "\n").getBytes(StandardCharsets.UTF_8));
                out.flush();
            } catch (IOException _) {
                // Its log still tells how the command went.
                System.out.println(text);
            }
        }

        @Override
        public void began(String step) {
            line("began " + step);
        }

        @Override
        public void done(String step, Duration took) {
            line("done " + took.toMillis() + " " + step);
        }

        @Override
        public void note(String text) {
            line("note " + text);
        }
    }
}
