// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.node;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Reads the file in which the engine's workers beat; its layout is {@code dataplane-dpdk/lib/heartbeat.h}. */
record Heartbeat(Path path) {
    private static final long MAGIC = 0x3154414548524557L;
    private static final int READY = 1;
    private static final int STATE_OFFSET = 12;
    private static final int FIRST_BEAT_OFFSET = 64;
    private static final int LENGTH = 72;

    /** Whether the engine is ready and its first worker turns its loop while we look. */
    boolean beats() throws IOException, InterruptedException {
        if (!Files.exists(path)) {
            return false;
        }
        ByteBuffer first = read();
        if (first.remaining() < LENGTH || first.getLong(0) != MAGIC || first.getInt(STATE_OFFSET) != READY) {
            return false;
        }
        for (int look = 0; look < 10; look++) {
            Thread.sleep(2);
            ByteBuffer next = read();
            if (next.remaining() == LENGTH && next.getLong(FIRST_BEAT_OFFSET) != first.getLong(FIRST_BEAT_OFFSET)) {
                return true;
            }
        }
        return false;
    }

    private ByteBuffer read() throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(LENGTH).order(ByteOrder.LITTLE_ENDIAN);
        try (FileChannel file = FileChannel.open(path, StandardOpenOption.READ)) {
            while (bytes.hasRemaining() && file.read(bytes) >= 0) {
                // Read until the buffer is full or the file ends.
            }
        }
        return bytes.flip();
    }
}
