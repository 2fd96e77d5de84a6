// SPDX-License-Identifier: Apache-2.0
/** What happened to a project's resources, listed and followed. */
@NullMarked
package dev.weir.api.event;

import org.jspecify.annotations.NullMarked;
