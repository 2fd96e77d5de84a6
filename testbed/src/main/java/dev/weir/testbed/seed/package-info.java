// SPDX-License-Identifier: Apache-2.0
/** Fills a running stack with the fleet that exists and two sample tenants, by REST calls alone. */
@NullMarked
package dev.weir.testbed.seed;

import org.jspecify.annotations.NullMarked;
