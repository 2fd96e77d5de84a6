// SPDX-License-Identifier: Apache-2.0
/** What the provisioner has to look at. */
@NullMarked
package dev.weir.db.outbox;

import org.jspecify.annotations.NullMarked;
