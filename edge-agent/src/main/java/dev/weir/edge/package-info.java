// SPDX-License-Identifier: Apache-2.0
/** The agent of one node: keeps its engine equal to the newest records it has. */
@NullMarked
package dev.weir.edge;

import org.jspecify.annotations.NullMarked;
