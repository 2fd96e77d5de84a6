// SPDX-License-Identifier: Apache-2.0
/** Prefix lists. */
@NullMarked
package dev.weir.db.prefixlist;

import org.jspecify.annotations.NullMarked;
