// SPDX-License-Identifier: Apache-2.0
/** Operating-system processes that outlive their launcher and can always be found again. */
@NullMarked
package dev.weir.testbed.process;

import org.jspecify.annotations.NullMarked;
