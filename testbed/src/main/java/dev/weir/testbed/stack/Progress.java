// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.stack;

import java.time.Duration;

/** Hears how a long command gets on. Called from several threads. */
interface Progress {
    void began(String step);

    void done(String step, Duration took);

    void note(String text);
}
