// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.scenario;

import java.io.IOException;

/** Kills parts of a running stack and starts them again, by the names that people type. */
public interface Faults {
    /** SIGKILL; the part stays down until {@link #start}. */
    void kill(String part) throws IOException, InterruptedException;

    /** Returns when the part serves. */
    void start(String part) throws IOException, InterruptedException;
}
