// SPDX-License-Identifier: Apache-2.0
package dev.weir.db.vip;

import java.time.Instant;
import java.util.List;
import java.util.UUID;

/** Prefixes that VIPs come from, as CIDRs. */
public record AddressPool(UUID id, String name, List<String> prefixes, long version, Instant createdAt) {
    public AddressPool {
        prefixes = List.copyOf(prefixes);
    }
}
