// SPDX-License-Identifier: Apache-2.0
/** Drains of members and shifts away from PoPs. */
@NullMarked
package dev.weir.db.overlay;

import org.jspecify.annotations.NullMarked;
