// SPDX-License-Identifier: Apache-2.0
/** Counter deltas that neither double nor get lost over restarts, and the agent's own metrics page. */
@NullMarked
package dev.weir.edge.metrics;

import org.jspecify.annotations.NullMarked;
