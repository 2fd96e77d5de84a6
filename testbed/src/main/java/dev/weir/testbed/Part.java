// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed;

import java.io.IOException;
import java.nio.file.Path;

/**
 * One piece of the testbed that can be started and killed by its name: a server, a service, an agent, an engine.
 *
 * <p>Implementations are thread-safe. All methods are idempotent.
 */
public interface Part {
    /** The name that people type, as {@code api} or {@code pop1-node1-engine}; unique in a stack. */
    String name();

    /** Where its output goes. */
    Path logFile();

    /** Starts it and returns when it serves; does nothing when it is up. Ends a time of being {@linkplain #kill() killed}. */
    void start() throws IOException, InterruptedException;

    /** Ends it in order and returns when it is gone. */
    void stop() throws IOException, InterruptedException;

    /** SIGKILL; it stays down until {@link #start()}. */
    void kill() throws IOException, InterruptedException;

    /** SIGKILL, as a fault would do it: whoever supervises the part starts it again at once. */
    void crash() throws IOException, InterruptedException;

    /** Whether it serves now; answers within a second. */
    boolean up();
}
