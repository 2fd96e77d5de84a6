// SPDX-License-Identifier: Apache-2.0
/** Compiles, sequences and publishes records, and reads them back. */
@NullMarked
package dev.weir.provisioner.publish;

import org.jspecify.annotations.NullMarked;
