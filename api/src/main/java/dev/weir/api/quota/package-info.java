// SPDX-License-Identifier: Apache-2.0
/** Quotas of projects. */
@NullMarked
package dev.weir.api.quota;

import org.jspecify.annotations.NullMarked;
