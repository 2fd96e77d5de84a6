// SPDX-License-Identifier: Apache-2.0
/** BIRD's files of this node; the guard alone decides whether they are announced. */
@NullMarked
package dev.weir.edge.announce;

import org.jspecify.annotations.NullMarked;
