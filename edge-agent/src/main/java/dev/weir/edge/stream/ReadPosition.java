// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.stream;

import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/**
 * How far the topics were read. Offsets mean nothing without the ids of the topics they count in.
 *
 * @param configTopicId     empty: never read
 * @param configNextOffsets per partition
 * @param inContactAtUs     Unix time in microseconds at which the records held were last known to be current; 0: never
 */
public record ReadPosition(
        String configTopicId,
        String popsTopicId,
        Map<Integer, Long> configNextOffsets,
        long popsNextOffset,
        long inContactAtUs) {

    public static ReadPosition none() {
        return new ReadPosition("", "", Map.of(), 0, 0);
    }

    /**
     * Whether reading may go on from here. Not from another topic's offsets; and not after so long that tombstones may
     * have gone unseen.
     */
    public boolean canResume(String currentConfigTopicId, String currentPopsTopicId, long nowUs, Duration retention) {
        return configTopicId.equals(currentConfigTopicId)
                && popsTopicId.equals(currentPopsTopicId)
                && nowUs - inContactAtUs < TimeUnit.MILLISECONDS.toMicros(retention.toMillis()) / 2;
    }

    public ReadPosition advancedBy(Batch batch, long nowUs) {
        TreeMap<Integer, Long> offsets = new TreeMap<>(configNextOffsets);
        offsets.putAll(batch.configNextOffsets());
        return new ReadPosition(
                configTopicId, popsTopicId, offsets, batch.popsNextOffset(), batch.caughtUp() ? nowUs : inContactAtUs);
    }
}
