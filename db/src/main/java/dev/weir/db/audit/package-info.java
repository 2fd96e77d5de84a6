// SPDX-License-Identifier: Apache-2.0
/** Who did what. */
@NullMarked
package dev.weir.db.audit;

import org.jspecify.annotations.NullMarked;
