// SPDX-License-Identifier: Apache-2.0
package dev.weir.provisioner.rollup;

import dev.weir.messages.v1.FlowCounterDelta;
import java.time.Instant;
import java.util.Comparator;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;

/** Sums of one batch, ordered by key: writers that meet on rows take them in the same order. */
final class Rollup {
    record FlowKey(UUID projectId, UUID loadBalancerId, Instant bucket, UUID popId, UUID listenerId, UUID memberId) {}

    record DropKey(UUID projectId, UUID loadBalancerId, Instant bucket, UUID popId, String reason) {}

    record NodeDropKey(UUID nodeId, Instant bucket, String reason) {}

    record FlowSums(
            long inPackets,
            long inBytes,
            long outPackets,
            long outBytes,
            long newFlows,
            long endedFin,
            long endedRst,
            long endedTimeout,
            long endedEvicted,
            double activeFlowSeconds) {

        FlowSums plus(FlowSums other) {
            return new FlowSums(
                    inPackets + other.inPackets,
                    inBytes + other.inBytes,
                    outPackets + other.outPackets,
                    outBytes + other.outBytes,
                    newFlows + other.newFlows,
                    endedFin + other.endedFin,
                    endedRst + other.endedRst,
                    endedTimeout + other.endedTimeout,
                    endedEvicted + other.endedEvicted,
                    activeFlowSeconds + other.activeFlowSeconds);
        }
    }

    private final Map<FlowKey, FlowSums> flows = new TreeMap<>(Comparator.comparing(FlowKey::bucket)
            .thenComparing(FlowKey::loadBalancerId)
            .thenComparing(FlowKey::projectId)
            .thenComparing(FlowKey::popId)
            .thenComparing(FlowKey::listenerId)
            .thenComparing(FlowKey::memberId));
    private final Map<DropKey, Long> drops = new TreeMap<>(Comparator.comparing(DropKey::bucket)
            .thenComparing(DropKey::loadBalancerId)
            .thenComparing(DropKey::projectId)
            .thenComparing(DropKey::popId)
            .thenComparing(DropKey::reason));
    private final Map<NodeDropKey, Long> nodeDrops = new TreeMap<>(Comparator.comparing(NodeDropKey::bucket)
            .thenComparing(NodeDropKey::nodeId)
            .thenComparing(NodeDropKey::reason));

    /** @param seconds how long the delta's interval was */
    void flows(FlowKey key, FlowCounterDelta delta, double seconds) {
        FlowSums sums = new FlowSums(
                delta.getInPackets(),
                delta.getInBytes(),
                delta.getOutPackets(),
                delta.getOutBytes(),
                delta.getNewFlows(),
                delta.getEndedFin(),
                delta.getEndedRst(),
                delta.getEndedTimeout(),
                delta.getEndedEvicted(),
                delta.getActiveFlows() * seconds);
        flows.merge(key, sums, FlowSums::plus);
    }

    void drops(DropKey key, long packets) {
        drops.merge(key, packets, Long::sum);
    }

    void nodeDrops(NodeDropKey key, long packets) {
        nodeDrops.merge(key, packets, Long::sum);
    }

    Map<FlowKey, FlowSums> flows() {
        return flows;
    }

    Map<DropKey, Long> drops() {
        return drops;
    }

    Map<NodeDropKey, Long> nodeDrops() {
        return nodeDrops;
    }
}
