// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.drill;

import java.io.IOException;

/** One kind of fault, with the traffic that must survive it. Leaves the stack as it found it. */
interface Drill {
    /** What people type. */
    String name();

    void run(DrillRun run) throws IOException, InterruptedException;
}
