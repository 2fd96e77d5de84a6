// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.reconcile;

/**
 * Flows of a load balancer that lost their listener, their VIP or the load balancer itself, and go on.
 *
 * @param id         the engine's number for it; its end names this or a later one
 * @param deadlineUs Unix time in microseconds at which the last of them are purged
 */
public record Drain(long id, long deadlineUs) {}
