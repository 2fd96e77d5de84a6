// SPDX-License-Identifier: Apache-2.0
/** Who this node is to the centre: its key, its certificate, how it comes to them and what it signs with them. */
@NullMarked
package dev.weir.edge.identity;

import org.jspecify.annotations.NullMarked;
