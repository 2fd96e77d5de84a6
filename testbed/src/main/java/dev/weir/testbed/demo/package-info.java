// SPDX-License-Identifier: Apache-2.0
/** The whole story on a running stack: a tenant's calls, real traffic, faults, and what was seen and measured. */
@NullMarked
package dev.weir.testbed.demo;

import org.jspecify.annotations.NullMarked;
