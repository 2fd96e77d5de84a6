// SPDX-License-Identifier: Apache-2.0
package dev.weir.sdk;

import java.io.IOException;

/** Where the token of each call comes from. Asked before every attempt, from many threads. */
@FunctionalInterface
public interface TokenSource {
    /**
     * Returns a token that is good for at least the next seconds, without {@code Bearer}.
     *
     * @throws IOException if none can be had now; the call fails with it
     */
    String token() throws IOException, InterruptedException;
}
