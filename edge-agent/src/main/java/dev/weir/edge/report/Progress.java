// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.report;

import dev.weir.messages.v1.PartitionWatermark;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Per partition, the position below which every record was filtered out, acknowledged by the engine, or rejected: what
 * was read, held back by the oldest record that is not settled. Not thread-safe.
 */
public final class Progress {
    private record Unsettled(int partition, long offset) {}

    private final TreeMap<Integer, Long> nextOffsets = new TreeMap<>();
    private final Map<Integer, Long> epochs = new HashMap<>();
    private final Map<Integer, Long> appliedAtUs = new HashMap<>();
    private final Map<String, Unsettled> unsettled = new HashMap<>();

    public void read(int partition, long nextOffset) {
        nextOffsets.put(partition, nextOffset);
    }

    public void epochSeen(int partition, long epoch) {
        epochs.merge(partition, epoch, Math::max);
    }

    /** Holds the partition at the record until {@link #settled}. */
    public void unsettled(String key, int partition, long offset) {
        Unsettled held = unsettled.get(key);
        if (held == null || held.partition() != partition) {
            unsettled.put(key, new Unsettled(partition, offset));
        }
    }

    /**
     * Everything taken so far is acknowledged or rejected.
     *
     * @param ackedAtUs Unix time in microseconds of the engine's acknowledgement; 0: it had nothing to do
     */
    public void settled(long ackedAtUs) {
        if (ackedAtUs > 0) {
            unsettled.values().forEach(one -> appliedAtUs.put(one.partition(), ackedAtUs));
        }
        unsettled.clear();
    }

    /** The topic is another one. */
    public void restart() {
        nextOffsets.clear();
        epochs.clear();
        appliedAtUs.clear();
        unsettled.clear();
    }

    public List<PartitionWatermark> watermarks() {
        TreeMap<Integer, Long> positions = new TreeMap<>(nextOffsets);
        unsettled
                .values()
                .forEach(one -> positions.computeIfPresent(one.partition(), (p, next) -> Math.min(next, one.offset())));
        return positions.entrySet().stream()
                .map(entry -> PartitionWatermark.newBuilder()
                        .setPartition(entry.getKey())
                        .setPosition(entry.getValue())
                        .setEpoch(epochs.getOrDefault(entry.getKey(), 0L))
                        .setAppliedAtUs(appliedAtUs.getOrDefault(entry.getKey(), 0L))
                        .build())
                .toList();
    }
}
