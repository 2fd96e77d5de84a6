// SPDX-License-Identifier: Apache-2.0
/** From records to what the engine must run, and the steps that get it there. */
@NullMarked
package dev.weir.edge.reconcile;

import org.jspecify.annotations.NullMarked;
