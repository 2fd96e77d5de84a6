// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.health;

import java.util.ArrayDeque;
import java.util.Deque;

/**
 * How many members of one load balancer may leave within a window that slides. When most fail at once, it is more often
 * the checker or its path that is broken than the members. A member's return gives nothing back, or flapping would get
 * around the limit.
 */
final class RemovalBudget {
    private final HealthLimits limits;
    private final Deque<Long> removedAtMs = new ArrayDeque<>();

    RemovalBudget(HealthLimits limits) {
        this.limits = limits;
    }

    /** @param members of the load balancer that are probed */
    boolean take(long nowMs, int members) {
        if (freeAtMs(nowMs, members) > nowMs) {
            return false;
        }
        removedAtMs.add(nowMs);
        return true;
    }

    /** When the next removal is allowed; not after {@code nowMs} if it is now. */
    long freeAtMs(long nowMs, int members) {
        long windowMs = limits.removalWindow().toMillis();
        while (!removedAtMs.isEmpty() && removedAtMs.getFirst() <= nowMs - windowMs) {
            removedAtMs.removeFirst();
        }
        int allowed = Math.max(1, (int) ((long) members * limits.removalPercent() / 100));
        boolean free = limits.removalPercent() >= 100 || removedAtMs.size() < allowed;
        return free ? nowMs : removedAtMs.getFirst() + windowMs;
    }
}
