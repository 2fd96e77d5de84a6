// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.pop;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Optional;

/** DER as text between two lines that name its kind. */
final class Pem {
    private static final Base64.Encoder ENCODER = Base64.getMimeEncoder(64, "\n".getBytes(StandardCharsets.US_ASCII));

    private Pem() {}

    static String encode(String kind, byte[] der) {
        return "-----BEGIN %1$s-----\n%2$s\n-----END %1$s-----\n".formatted(kind, ENCODER.encodeToString(der));
    }

    /** @return empty unless the text is one block of this kind and nothing else */
    static Optional<byte[]> decode(String kind, String text) {
        String begin = "-----BEGIN " + kind + "-----";
        String end = "-----END " + kind + "-----";
        String block = text.strip();
        if (!block.startsWith(begin) || !block.endsWith(end) || block.length() < begin.length() + end.length()) {
            return Optional.empty();
        }
        String body = block.substring(begin.length(), block.length() - end.length());
        try {
            return Optional.of(Base64.getDecoder().decode(body.replaceAll("\\s", "")));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }
}
