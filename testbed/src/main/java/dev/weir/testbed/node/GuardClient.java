// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.node;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** Asks a running guard for its state. */
final class GuardClient {
    private GuardClient() {}

    /**
     * The guard's status, one line of JSON.
     *
     * @param pid    the guard's process
     * @param socket its socket, relative to its working directory
     */
    static String status(long pid, String socket) throws IOException {
        // Through /proc the path is short, however deep the clone lies.
        Path path = Path.of("/proc/" + pid + "/cwd").resolve(socket);
        try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            channel.connect(UnixDomainSocketAddress.of(path));
            channel.write(ByteBuffer.wrap("status\n".getBytes(StandardCharsets.US_ASCII)));
            ByteBuffer answer = ByteBuffer.allocate(1024);
            while (answer.position() == 0 || answer.get(answer.position() - 1) != '\n') {
                if (channel.read(answer) < 0) {
                    throw new IOException("the guard closed the connection");
                }
            }
            return StandardCharsets.US_ASCII.decode(answer.flip()).toString().strip();
        }
    }
}
