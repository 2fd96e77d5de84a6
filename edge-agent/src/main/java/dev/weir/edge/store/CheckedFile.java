// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.store;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One message in one file that is either wholly the new or wholly the previous one: magic, length, message, SHA-256
 * over all before. Written aside, synced and renamed; the copy before is kept and read when the newest is damaged.
 * One writer at a time.
 */
public final class CheckedFile<T extends MessageLite> {
    private static final Logger log = LoggerFactory.getLogger(CheckedFile.class);
    private static final long MAGIC = 0x5745495241475431L; // "WEIRAGT1"
    private static final int HEADER_BYTES = 8 + 4;
    private static final int HASH_BYTES = 32;

    private final Path file;
    private final Path previous;
    private final Path aside;
    private final Parser<T> parser;

    public CheckedFile(Path file, Parser<T> parser) {
        this.file = file;
        this.previous = file.resolveSibling(file.getFileName() + ".previous");
        this.aside = file.resolveSibling(file.getFileName() + ".new");
        this.parser = parser;
    }

    /** Returns the newest undamaged message, or empty if there is none. */
    public Optional<T> load() {
        Optional<T> newest = read(file);
        return newest.isPresent() ? newest : read(previous);
    }

    /** Returns when the message is on the disk. */
    public void save(T message) throws IOException {
        byte[] body = message.toByteArray();
        ByteBuffer content = ByteBuffer.allocate(HEADER_BYTES + body.length + HASH_BYTES);
        content.putLong(MAGIC).putInt(body.length).put(body);
        content.put(sha256(content.array(), HEADER_BYTES + body.length)).flip();
        try (FileChannel channel = FileChannel.open(
                aside, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
            while (content.hasRemaining()) {
                channel.write(content);
            }
            channel.force(true);
        }
        if (Files.exists(file)) {
            Files.deleteIfExists(previous);
            Files.createLink(previous, file);
        }
        Files.move(aside, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        syncDirectory();
    }

    private void syncDirectory() throws IOException {
        Path directory = file.toAbsolutePath().getParent();
        if (directory == null) {
            return;
        }
        try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    private Optional<T> read(Path from) {
        byte[] content;
        try {
            content = Files.readAllBytes(from);
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (IOException e) {
            log.atError().addKeyValue("file", from).setCause(e).log("stored state can't be read");
            return Optional.empty();
        }
        try {
            return Optional.of(decode(content));
        } catch (IOException e) {
            log.atError()
                    .addKeyValue("file", from)
                    .addKeyValue("reason", e.getMessage())
                    .log("stored state is damaged, the copy before is used");
            return Optional.empty();
        }
    }

    private T decode(byte[] content) throws IOException {
        if (content.length < HEADER_BYTES + HASH_BYTES) {
            throw new IOException("only " + content.length + " bytes");
        }
        ByteBuffer buffer = ByteBuffer.wrap(content);
        if (buffer.getLong() != MAGIC) {
            throw new IOException("not a state file");
        }
        int length = buffer.getInt();
        if (length != content.length - HEADER_BYTES - HASH_BYTES) {
            throw new IOException("length does not fit");
        }
        byte[] hash = Arrays.copyOfRange(content, HEADER_BYTES + length, content.length);
        if (!MessageDigest.isEqual(hash, sha256(content, HEADER_BYTES + length))) {
            throw new IOException("checksum does not fit");
        }
        try {
            return parser.parseFrom(ByteBuffer.wrap(content, HEADER_BYTES, length));
        } catch (InvalidProtocolBufferException e) {
            throw new IOException("message can't be decoded", e);
        }
    }

    private static byte[] sha256(byte[] content, int length) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update(content, 0, length);
            return digest.digest();
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
