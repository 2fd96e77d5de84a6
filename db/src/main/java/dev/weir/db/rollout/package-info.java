// SPDX-License-Identifier: Apache-2.0
/** How far nodes have come, and what they see of members; written by the provisioner, read here. */
@NullMarked
package dev.weir.db.rollout;

import org.jspecify.annotations.NullMarked;
