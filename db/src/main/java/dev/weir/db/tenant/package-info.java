// SPDX-License-Identifier: Apache-2.0
/** Tenants. */
@NullMarked
package dev.weir.db.tenant;

import org.jspecify.annotations.NullMarked;
