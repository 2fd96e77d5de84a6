// SPDX-License-Identifier: Apache-2.0
/** Projects, the roles in them and their machine clients. */
@NullMarked
package dev.weir.db.project;

import org.jspecify.annotations.NullMarked;
