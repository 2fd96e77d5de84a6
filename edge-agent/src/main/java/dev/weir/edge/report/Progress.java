// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.report;

import dev.weir.edge.reconcile.Drain;
import dev.weir.messages.v1.DrainingKey;
import dev.weir.messages.v1.PartitionWatermark;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Per partition, the position below which every record was filtered out, acknowledged by the engine, or rejected: what
 * was read, held back by the oldest record that is not settled. Keys of which flows drain are held back by themselves,
 * so that they do not stop others of their partition. Not thread-safe.
 */
public final class Progress {
    private record Unsettled(int partition, long offset) {}

    private record Held(long offset, Drain drain) {}

    private final TreeMap<Integer, Long> nextOffsets = new TreeMap<>();
    private final Map<Integer, Long> epochs = new HashMap<>();
    private final Map<Integer, Long> appliedAtUs = new HashMap<>();
    private final Map<String, Unsettled> unsettled = new HashMap<>();
    private final TreeMap<String, Held> draining = new TreeMap<>();

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

    /**
     * Flows of the key drain: from the record that is not settled yet on, it does not count as passed.
     *
     * @param offset of the key's newest record, in case all are settled
     */
    public void drains(String key, long offset, Drain drain) {
        Unsettled since = unsettled.get(key);
        Held held = draining.get(key);
        long from = held != null ? held.offset() : since != null ? since.offset() : offset;
        draining.put(key, new Held(from, drain));
    }

    /** @return whether the key was held back by the drain */
    public boolean drained(String key, long drainId) {
        Held held = draining.get(key);
        return held != null && held.drain().id() <= drainId && draining.remove(key, held);
    }

    /** What the engine says now takes the place of what it said before. */
    public void forgetDrains() {
        draining.clear();
    }

    public List<DrainingKey> drainingKeys() {
        return draining.entrySet().stream()
                .map(entry -> DrainingKey.newBuilder()
                        .setKey(entry.getKey())
                        .setPosition(entry.getValue().offset())
                        .setDeadlineUs(entry.getValue().drain().deadlineUs())
                        .build())
                .toList();
    }

    /** The topic is another one. */
    public void restart() {
        nextOffsets.clear();
        epochs.clear();
        appliedAtUs.clear();
        unsettled.clear();
        draining.clear();
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
