// SPDX-License-Identifier: Apache-2.0
/** Members and PoPs that take no new flows until a time. */
@NullMarked
package dev.weir.api.drain;

import org.jspecify.annotations.NullMarked;
