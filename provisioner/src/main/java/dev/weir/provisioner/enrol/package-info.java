// SPDX-License-Identifier: Apache-2.0
/** The authority for nodes' certificates. */
@NullMarked
package dev.weir.provisioner.enrol;

import org.jspecify.annotations.NullMarked;
