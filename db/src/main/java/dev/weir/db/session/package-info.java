// SPDX-License-Identifier: Apache-2.0
/** Whose rights a transaction has: the database role and what row-level security goes by. */
@NullMarked
package dev.weir.db.session;

import org.jspecify.annotations.NullMarked;
