// SPDX-License-Identifier: Apache-2.0
/** The whole service on one machine: real servers, PoPs in network namespaces, and what drives them. */
@NullMarked
package dev.weir.testbed;

import org.jspecify.annotations.NullMarked;
