// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.loadbalancer;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import tools.jackson.databind.json.JsonMapper;

/**
 * Strong entity tags of a tree's parts. A part has no version of its own: its tag is a hash of what it says, so that a
 * write elsewhere in the tree leaves it as it is.
 */
final class SpecTag {
    private static final JsonMapper JSON = JsonMapper.shared();
    private static final int BYTES = 10;

    private SpecTag() {}

    /** @param part as the tree stores it */
    static String of(Object part) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256")
                    .digest(JSON.writeValueAsString(part).getBytes(StandardCharsets.UTF_8));
            return "\"" + HexFormat.of().formatHex(Arrays.copyOf(digest, BYTES)) + "\"";
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
