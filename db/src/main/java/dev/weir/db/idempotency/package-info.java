// SPDX-License-Identifier: Apache-2.0
/** Answers of calls that may be repeated. */
@NullMarked
package dev.weir.db.idempotency;

import org.jspecify.annotations.NullMarked;
