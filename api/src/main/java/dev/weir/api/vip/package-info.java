// SPDX-License-Identifier: Apache-2.0
/** VIPs and what they are attached to. */
@NullMarked
package dev.weir.api.vip;

import org.jspecify.annotations.NullMarked;
