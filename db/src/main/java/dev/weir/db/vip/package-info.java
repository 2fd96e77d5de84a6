// SPDX-License-Identifier: Apache-2.0
/** Address pools, VIPs and their attachments. */
@NullMarked
package dev.weir.db.vip;

import org.jspecify.annotations.NullMarked;
