// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.stream;

import com.google.protobuf.ByteString;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;

/** The hash that tells an agent whether it has read all of a partition. */
final class Digests {
    private Digests() {}

    /** Over the live keys of the partition that were read from the topic in use. */
    static ByteString of(Collection<KeyState> keys, int partition) {
        MessageDigest digest;
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
        keys.stream()
                .filter(state -> state.partition() == partition && state.confirmed() && state.isLive())
                .sorted(Comparator.comparing(Digests::keyBytes, Arrays::compareUnsigned))
                .forEach(state -> {
                    digest.update(keyBytes(state));
                    digest.update((byte) 0);
                    digest.update(ByteBuffer.allocate(16)
                            .putLong(state.version().epoch())
                            .putLong(state.version().sequence())
                            .flip());
                });
        return ByteString.copyFrom(digest.digest());
    }

    private static byte[] keyBytes(KeyState state) {
        return state.key().getBytes(StandardCharsets.UTF_8);
    }
}
