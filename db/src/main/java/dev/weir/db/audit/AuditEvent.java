// SPDX-License-Identifier: Apache-2.0
package dev.weir.db.audit;

import java.time.Instant;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Who did what, or was refused it.
 *
 * @param projectId null: the fleet's
 * @param code of the problem that refused it; null: allowed
 * @param changes JSON array of the rows that changed
 */
public record AuditEvent(
        @Nullable UUID projectId,
        UUID id,
        AuditedCall call,
        @Nullable String code,
        String changes,
        Instant createdAt) {}
