// SPDX-License-Identifier: Apache-2.0
/** Turns counter deltas into rows of ten seconds. */
@NullMarked
package dev.weir.provisioner.rollup;

import org.jspecify.annotations.NullMarked;
