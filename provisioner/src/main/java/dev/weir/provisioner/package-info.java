// SPDX-License-Identifier: Apache-2.0
/** Publishes what was asked for and follows it home. */
@NullMarked
package dev.weir.provisioner;

import org.jspecify.annotations.NullMarked;
