// SPDX-License-Identifier: Apache-2.0
/** The contract itself and the service's health. */
@NullMarked
package dev.weir.api.contract;

import org.jspecify.annotations.NullMarked;
