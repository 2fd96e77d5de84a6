// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.stream;

import dev.weir.messages.v1.ConfigRecord;
import dev.weir.messages.v1.PopsRecord;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What one poll brought, in the order of each partition.
 *
 * @param configNextOffsets per partition of weir.config.v1, the offset to read next once this batch is taken
 * @param popsNextOffset    the same of weir.pops.v1
 * @param caughtUp          nothing newer is left to read
 */
public record Batch(
        List<ConfigRead> config,
        List<PopsRead> pops,
        Map<Integer, Long> configNextOffsets,
        long popsNextOffset,
        boolean caughtUp) {

    /** @param record null: a tombstone */
    public record ConfigRead(
            String key,
            int partition,
            long offset,
            @Nullable ConfigRecord record) {}

    /** @param record null: a tombstone */
    public record PopsRead(String key, @Nullable PopsRecord record) {}
}
