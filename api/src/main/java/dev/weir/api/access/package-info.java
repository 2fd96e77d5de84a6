// SPDX-License-Identifier: Apache-2.0
/** Who calls and what that allows; role grants and service accounts. */
@NullMarked
package dev.weir.api.access;

import org.jspecify.annotations.NullMarked;
