// SPDX-License-Identifier: Apache-2.0
/** The engine's control protocol: requests, replies and events over a Unix stream socket. */
@NullMarked
package dev.weir.edge.engine;

import org.jspecify.annotations.NullMarked;
