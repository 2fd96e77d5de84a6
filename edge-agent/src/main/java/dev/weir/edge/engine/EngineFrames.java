// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.engine;

import com.google.protobuf.MessageLite;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import org.jspecify.annotations.Nullable;

/** Frames of the control protocol: a 4-byte big-endian length, then that many bytes. */
public final class EngineFrames {
    /** Largest message in bytes, in either direction. */
    public static final int MAX_MESSAGE_BYTES = 16 * 1024 * 1024;

    private EngineFrames() {}

    public static void write(WritableByteChannel channel, MessageLite message) throws IOException {
        byte[] body = message.toByteArray();
        if (body.length > MAX_MESSAGE_BYTES) {
            throw new IOException("message of " + body.length + " bytes is above the limit of " + MAX_MESSAGE_BYTES);
        }
        ByteBuffer frame = ByteBuffer.allocate(4 + body.length)
                .putInt(body.length)
                .put(body)
                .flip();
        while (frame.hasRemaining()) {
            channel.write(frame);
        }
    }

    /** Returns null at the end of the stream between two frames. */
    public static byte @Nullable [] read(ReadableByteChannel channel) throws IOException {
        ByteBuffer length = ByteBuffer.allocate(4);
        if (!fill(channel, length)) {
            return null;
        }
        int size = length.flip().getInt();
        if (size < 0 || size > MAX_MESSAGE_BYTES) {
            throw new IOException("frame length " + Integer.toUnsignedString(size) + " is above the limit");
        }
        ByteBuffer body = ByteBuffer.allocate(size);
        if (size > 0 && !fill(channel, body)) {
            throw new EOFException("stream ended inside a frame");
        }
        return body.array();
    }

    private static boolean fill(ReadableByteChannel channel, ByteBuffer buffer) throws IOException {
        while (buffer.hasRemaining()) {
            if (channel.read(buffer) < 0) {
                if (buffer.position() > 0) {
                    throw new EOFException("stream ended inside a frame");
                }
                return false;
            }
        }
        return true;
    }
}
