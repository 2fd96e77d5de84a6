// SPDX-License-Identifier: Apache-2.0
package dev.weir.db.audit;

import org.jspecify.annotations.Nullable;

/**
 * A call as the audit log names it.
 *
 * @param subject the token's {@code sub}
 * @param username user name or client id, for people to read
 * @param action operation of the contract
 * @param resource prefixed id of what it was about; null for a collection
 */
public record AuditedCall(
        String subject,
        @Nullable String username,
        String action,
        @Nullable String resource,
        String path,
        @Nullable String sourceAddress,
        @Nullable String requestId) {}
