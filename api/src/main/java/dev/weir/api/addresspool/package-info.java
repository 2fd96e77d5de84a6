// SPDX-License-Identifier: Apache-2.0
/** Address pools. */
@NullMarked
package dev.weir.api.addresspool;

import org.jspecify.annotations.NullMarked;
