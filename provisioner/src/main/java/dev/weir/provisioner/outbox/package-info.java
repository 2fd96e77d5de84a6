// SPDX-License-Identifier: Apache-2.0
/** Wakes publishers when something was committed. */
@NullMarked
package dev.weir.provisioner.outbox;

import org.jspecify.annotations.NullMarked;
