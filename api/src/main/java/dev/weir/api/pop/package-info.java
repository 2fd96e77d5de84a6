// SPDX-License-Identifier: Apache-2.0
/** PoPs and nodes. */
@NullMarked
package dev.weir.api.pop;

import org.jspecify.annotations.NullMarked;
