// SPDX-License-Identifier: Apache-2.0
/** Keeps what nodes see of members. */
@NullMarked
package dev.weir.provisioner.health;

import org.jspecify.annotations.NullMarked;
