// SPDX-License-Identifier: Apache-2.0
package dev.weir.db.project;

import java.time.Instant;
import java.util.List;
import java.util.UUID;

/** @param memberCidrs networks from which members may be; empty: none */
public record Project(
        UUID id, UUID tenantId, String name, String displayName, List<String> memberCidrs, Instant createdAt) {
    public Project {
        memberCidrs = List.copyOf(memberCidrs);
    }
}
