// SPDX-License-Identifier: Apache-2.0
/** The end of what was deleted or outlived. */
@NullMarked
package dev.weir.db.purge;

import org.jspecify.annotations.NullMarked;
