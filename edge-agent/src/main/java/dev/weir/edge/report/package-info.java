// SPDX-License-Identifier: Apache-2.0
/** Watermarks, health and metrics out. */
@NullMarked
package dev.weir.edge.report;

import org.jspecify.annotations.NullMarked;
