// SPDX-License-Identifier: Apache-2.0
/** Prefix lists. */
@NullMarked
package dev.weir.api.prefixlist;

import org.jspecify.annotations.NullMarked;
