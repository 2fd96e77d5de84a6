// SPDX-License-Identifier: Apache-2.0
/** Pure functions from a load balancer's tree to the configuration that nodes run; no I/O. */
@NullMarked
package dev.weir.compiler;

import org.jspecify.annotations.NullMarked;
