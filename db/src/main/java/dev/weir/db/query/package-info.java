// SPDX-License-Identifier: Apache-2.0
/** Lists that callers filter and sort. */
@NullMarked
package dev.weir.db.query;

import org.jspecify.annotations.NullMarked;
