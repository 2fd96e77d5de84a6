// SPDX-License-Identifier: Apache-2.0
/** Reading the audit log. */
@NullMarked
package dev.weir.api.audit;

import org.jspecify.annotations.NullMarked;
