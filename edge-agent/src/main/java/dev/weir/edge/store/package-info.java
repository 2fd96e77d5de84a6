// SPDX-License-Identifier: Apache-2.0
/** The agent's last good state on its own disk. */
@NullMarked
package dev.weir.edge.store;

import org.jspecify.annotations.NullMarked;
