// SPDX-License-Identifier: Apache-2.0
/** Load balancers, the rows of their trees and their revisions. */
@NullMarked
package dev.weir.db.loadbalancer;

import org.jspecify.annotations.NullMarked;
