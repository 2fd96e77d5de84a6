// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.announce;

import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;

/** Asks the guard to have BIRD read its files again. One connection per request. */
public final class GuardClient {
    private static final int MAX_ANSWER_BYTES = 4096;

    private final Path socket;
    private final Duration timeout;

    public GuardClient(Path socket, Duration timeout) {
        this.socket = socket;
        this.timeout = timeout;
    }

    /**
     * Returns when BIRD has taken the files.
     *
     * @throws IOException if the guard is away, does not answer in time, or BIRD refuses the files
     */
    public void reload() throws IOException {
        String answer = ask("reload\n");
        if (!answer.equals("ok")) {
            throw new IOException("the guard answered: " + answer);
        }
    }

    private String ask(String line) throws IOException {
        long deadline = System.nanoTime() + timeout.toNanos();
        try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(socket));
                Selector selector = Selector.open()) {
            channel.write(ByteBuffer.wrap(line.getBytes(StandardCharsets.US_ASCII)));
            channel.configureBlocking(false);
            channel.register(selector, SelectionKey.OP_READ);
            ByteBuffer answer = ByteBuffer.allocate(MAX_ANSWER_BYTES);
            while (answer.hasRemaining()) {
                long leftMs = (deadline - System.nanoTime()) / 1_000_000;
                if (leftMs <= 0) {
                    throw new IOException("the guard did not answer in " + timeout.toMillis() + " ms");
                }
                selector.select(leftMs);
                selector.selectedKeys().clear();
                int read = channel.read(answer);
                String text = new String(answer.array(), 0, answer.position(), StandardCharsets.UTF_8);
                int end = text.indexOf('\n');
                if (end >= 0) {
                    return text.substring(0, end);
                }
                if (read < 0) {
                    throw new IOException("the guard closed the connection");
                }
            }
            throw new IOException("the guard's answer is too long");
        }
    }
}
