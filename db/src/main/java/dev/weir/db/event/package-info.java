// SPDX-License-Identifier: Apache-2.0
/** What happened to a project's resources. */
@NullMarked
package dev.weir.db.event;

import org.jspecify.annotations.NullMarked;
