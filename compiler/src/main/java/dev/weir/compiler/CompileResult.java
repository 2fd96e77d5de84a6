// SPDX-License-Identifier: Apache-2.0
package dev.weir.compiler;

import dev.weir.messages.v1.LoadBalancerConfig;
import java.util.List;

/** What came of compiling a tree: a configuration, or everything that is wrong with the tree. */
public sealed interface CompileResult {

    record Compiled(LoadBalancerConfig config) implements CompileResult {}

    /** @param faults every fault found, never empty; in the order of the tree */
    record Refused(List<Fault> faults) implements CompileResult {
        public Refused {
            faults = List.copyOf(faults);
        }
    }
}
