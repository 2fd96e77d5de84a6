// SPDX-License-Identifier: Apache-2.0
/** The whole service: which parts there are, how they start, who watches them, and the commands that people type. */
@NullMarked
package dev.weir.testbed.stack;

import org.jspecify.annotations.NullMarked;
