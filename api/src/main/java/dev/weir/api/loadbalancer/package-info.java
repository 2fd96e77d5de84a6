// SPDX-License-Identifier: Apache-2.0
/** Load balancers: trees, members and revisions. */
@NullMarked
package dev.weir.api.loadbalancer;

import org.jspecify.annotations.NullMarked;
