// SPDX-License-Identifier: Apache-2.0
package dev.weir.provisioner.publish;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Map;
import java.util.SortedMap;

/** What a partition's live keys hash to, see {@code PartitionDigest} in load_balancer_config.proto. */
record Digest(byte[] sha256, int keys) {
    private static final String KEY_PREFIX = "digest/";

    static String key(int partition) {
        return KEY_PREFIX + partition;
    }

    /** Keys are ASCII, so their natural order is that of their bytes. */
    static Digest of(SortedMap<String, LogEntry> entries) {
        MessageDigest sha256 = messageDigest();
        int keys = 0;
        for (Map.Entry<String, LogEntry> entry : entries.entrySet()) {
            if (!entry.getValue().live() || entry.getKey().startsWith(KEY_PREFIX)) {
                continue;
            }
            keys++;
            sha256.update(entry.getKey().getBytes(StandardCharsets.UTF_8));
            sha256.update((byte) 0);
            sha256.update(ByteBuffer.allocate(16)
                    .putLong(entry.getValue().epoch())
                    .putLong(entry.getValue().sequence())
                    .flip());
        }
        return new Digest(sha256.digest(), keys);
    }

    static byte[] sha256(byte[] bytes) {
        return messageDigest().digest(bytes);
    }

    private static MessageDigest messageDigest() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
