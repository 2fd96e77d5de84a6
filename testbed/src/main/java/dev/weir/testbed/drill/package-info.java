// SPDX-License-Identifier: Apache-2.0
/** Faults on a running stack under real traffic: what must go on goes on, and what broke is counted. */
@NullMarked
package dev.weir.testbed.drill;

import org.jspecify.annotations.NullMarked;
