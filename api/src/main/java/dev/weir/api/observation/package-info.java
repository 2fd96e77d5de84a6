// SPDX-License-Identifier: Apache-2.0
/** What the edge runs of a load balancer, whether it serves, and what it counted. */
@NullMarked
package dev.weir.api.observation;

import org.jspecify.annotations.NullMarked;
