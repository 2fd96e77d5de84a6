// SPDX-License-Identifier: Apache-2.0
/** Which instance works on which partition. */
@NullMarked
package dev.weir.provisioner.lease;

import org.jspecify.annotations.NullMarked;
