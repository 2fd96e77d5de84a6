// SPDX-License-Identifier: Apache-2.0
/** Reads reports of nodes, each once, under a lease. */
@NullMarked
package dev.weir.provisioner.follow;

import org.jspecify.annotations.NullMarked;
