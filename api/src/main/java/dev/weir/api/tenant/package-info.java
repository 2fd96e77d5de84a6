// SPDX-License-Identifier: Apache-2.0
/** Tenants. */
@NullMarked
package dev.weir.api.tenant;

import org.jspecify.annotations.NullMarked;
