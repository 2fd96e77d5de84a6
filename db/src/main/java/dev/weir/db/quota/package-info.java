// SPDX-License-Identifier: Apache-2.0
/** Projects' quotas. */
@NullMarked
package dev.weir.db.quota;

import org.jspecify.annotations.NullMarked;
