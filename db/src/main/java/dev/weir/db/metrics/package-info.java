// SPDX-License-Identifier: Apache-2.0
/** Traffic counters; written by the provisioner, read here. */
@NullMarked
package dev.weir.db.metrics;

import org.jspecify.annotations.NullMarked;
