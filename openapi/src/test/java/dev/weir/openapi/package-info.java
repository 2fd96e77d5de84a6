// SPDX-License-Identifier: Apache-2.0
/** Checks of the REST contract itself. */
@NullMarked
package dev.weir.openapi;

import org.jspecify.annotations.NullMarked;
