// SPDX-License-Identifier: Apache-2.0
/** What demo and drills share: a project's calls, a load balancer of their own, clients, and a report of what was seen. */
@NullMarked
package dev.weir.testbed.scenario;

import org.jspecify.annotations.NullMarked;
