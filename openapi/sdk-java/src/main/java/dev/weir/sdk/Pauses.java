// SPDX-License-Identifier: Apache-2.0
package dev.weir.sdk;

import java.time.Duration;

/** Time as waiting code sees it. */
interface Pauses {
    Pauses REAL = new Pauses() {
        @Override
        public void pause(Duration time) throws InterruptedException {
            Thread.sleep(time);
        }

        @Override
        public long nanoTime() {
            return System.nanoTime();
        }
    };

    void pause(Duration time) throws InterruptedException;

    /** As {@link System#nanoTime}. */
    long nanoTime();
}
