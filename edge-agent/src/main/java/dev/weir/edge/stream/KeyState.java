// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.stream;

import dev.weir.edge.reconcile.RecordVersion;
import dev.weir.messages.v1.ConfigRecord;
import org.jspecify.annotations.Nullable;

/**
 * The newest record of one key of weir.config.v1, as far as this node cares.
 *
 * @param record    null: placed elsewhere, gone, or nothing that an engine runs
 * @param deleted   the newest record says that the load balancer is gone
 * @param tombstone the key is gone from the topic; kept here until the engine no longer has it
 * @param confirmed read from the topic in use, not only kept from an earlier one
 */
public record KeyState(
        String key,
        int partition,
        long offset,
        RecordVersion version,
        @Nullable ConfigRecord record,
        boolean deleted,
        boolean tombstone,
        boolean confirmed) {

    boolean isLive() {
        return !deleted && !tombstone;
    }

    KeyState at(int newPartition, long newOffset) {
        return new KeyState(key, newPartition, newOffset, version, record, deleted, tombstone, true);
    }

    KeyState asGone(boolean byTombstone) {
        return new KeyState(key, partition, offset, version, null, true, tombstone || byTombstone, confirmed);
    }

    KeyState unconfirmed() {
        return new KeyState(key, partition, offset, version, record, deleted, tombstone, false);
    }
}
