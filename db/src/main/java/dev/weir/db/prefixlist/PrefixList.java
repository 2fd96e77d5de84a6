// SPDX-License-Identifier: Apache-2.0
package dev.weir.db.prefixlist;

import java.time.Instant;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A named list of CIDRs, without them.
 *
 * @param contentSha256 of the entries, packed as nodes get them
 */
@SuppressWarnings("ArrayRecordComponent") // Never compared.
public record PrefixList(
        UUID projectId,
        UUID id,
        String name,
        @Nullable String description,
        Map<String, String> labels,
        int cidrCount,
        byte[] contentSha256,
        long generation,
        Instant createdAt,
        Instant updatedAt) {}
