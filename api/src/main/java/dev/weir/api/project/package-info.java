// SPDX-License-Identifier: Apache-2.0
/** Projects. */
@NullMarked
package dev.weir.api.project;

import org.jspecify.annotations.NullMarked;
