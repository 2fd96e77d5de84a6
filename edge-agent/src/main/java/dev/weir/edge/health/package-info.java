// SPDX-License-Identifier: Apache-2.0
/** Probes and verdicts: the agent decides when and what follows, the engine sends and answers. */
@NullMarked
package dev.weir.edge.health;

import org.jspecify.annotations.NullMarked;
