// SPDX-License-Identifier: Apache-2.0
/**
 * Calls Weir's REST service: {@link dev.weir.sdk.WeirClient} around the calls in {@code dev.weir.sdk.v1}, which are
 * generated from the contract.
 */
@NullMarked
package dev.weir.sdk;

import org.jspecify.annotations.NullMarked;
