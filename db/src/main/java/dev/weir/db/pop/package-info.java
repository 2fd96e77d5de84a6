// SPDX-License-Identifier: Apache-2.0
/** PoPs and their nodes. */
@NullMarked
package dev.weir.db.pop;

import org.jspecify.annotations.NullMarked;
