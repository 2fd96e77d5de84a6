// SPDX-License-Identifier: Apache-2.0
/** Measures the api as a process, on a real PostgreSQL and with real tokens. */
@NullMarked
package dev.weir.bench.api;

import org.jspecify.annotations.NullMarked;
