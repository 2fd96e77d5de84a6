// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.health;

import java.util.Comparator;

/** A member, named fully: a member id is only unique within its load balancer. */
public record MemberKey(String loadBalancerId, String poolId, String memberId) implements Comparable<MemberKey> {
    private static final Comparator<MemberKey> ORDER = Comparator.comparing(MemberKey::loadBalancerId)
            .thenComparing(MemberKey::poolId)
            .thenComparing(MemberKey::memberId);

    @Override
    public int compareTo(MemberKey other) {
        return ORDER.compare(this, other);
    }
}
