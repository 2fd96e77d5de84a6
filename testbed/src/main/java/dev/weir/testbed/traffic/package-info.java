// SPDX-License-Identifier: Apache-2.0
/** What the testbed's clients send and its backends answer: real servers, real connections. */
@NullMarked
package dev.weir.testbed.traffic;

import org.jspecify.annotations.NullMarked;
