// SPDX-License-Identifier: Apache-2.0
/** Derives from watermarks what the edge runs. */
@NullMarked
package dev.weir.provisioner.rollout;

import org.jspecify.annotations.NullMarked;
