// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.metrics;

import dev.weir.edge.store.state.MetricsState;
import dev.weir.messages.v1.DropCounter;
import dev.weir.messages.v1.DropDelta;
import dev.weir.messages.v1.FlowCounterDelta;
import dev.weir.messages.v1.FlowCounters;
import dev.weir.messages.v1.GetCountersReply;
import dev.weir.messages.v1.MetricsReport;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Function;

/** The differences between two readings of an engine's counters. Pure. */
final class CounterDeltas {
    private record FlowKey(String projectId, String loadBalancerId, String listenerId, String memberId) {}

    private record DropKey(String loadBalancerId, String reason) {}

    private CounterDeltas() {}

    /**
     * Adds to {@code report} what was counted since {@code before}, leaving out what did not change.
     *
     * @param before  absolute counters of the reading before, in the form that {@link #reading} makes
     * @param project finds the project of a load balancer; empty when unknown
     */
    static void between(
            MetricsState before, GetCountersReply now, Function<String, String> project, MetricsReport.Builder report) {
        // Other counters than those read before: they began at zero.
        boolean same = before.getCountersId() == now.getCountersId();
        Map<FlowKey, FlowCounterDelta> flows = new HashMap<>();
        Map<DropKey, Long> drops = new HashMap<>();
        if (same) {
            before.getCountersList().forEach(one -> flows.put(key(one), one));
            before.getDropsList()
                    .forEach(one -> drops.put(new DropKey(one.getLoadBalancerId(), one.getReason()), one.getPackets()));
        }
        for (FlowCounters counters : now.getCountersList()) {
            FlowCounterDelta reading = reading(counters);
            FlowCounterDelta last = flows.getOrDefault(key(reading), FlowCounterDelta.getDefaultInstance());
            FlowCounterDelta delta = minus(reading, last);
            if (!isZero(delta) || reading.getActiveFlows() != last.getActiveFlows()) {
                report.addDeltas(delta);
            }
        }
        for (DropCounter counter : now.getDropsList()) {
            long last = drops.getOrDefault(new DropKey(counter.getLoadBalancerId(), counter.getReason()), 0L);
            long delta = Math.max(0, counter.getPackets() - last);
            if (delta > 0) {
                String id = counter.getLoadBalancerId();
                report.addDrops(DropDelta.newBuilder()
                        .setProjectId(id.isEmpty() ? "" : project.apply(id))
                        .setLoadBalancerId(id)
                        .setReason(counter.getReason())
                        .setPackets(delta));
            }
        }
    }

    /** Absolute counters, kept in the shape of a delta. */
    static FlowCounterDelta reading(FlowCounters counters) {
        return FlowCounterDelta.newBuilder()
                .setProjectId(counters.getProjectId())
                .setLoadBalancerId(counters.getLoadBalancerId())
                .setListenerId(counters.getListenerId())
                .setMemberId(counters.getMemberId())
                .setInPackets(counters.getInPackets())
                .setInBytes(counters.getInBytes())
                .setOutPackets(counters.getOutPackets())
                .setOutBytes(counters.getOutBytes())
                .setNewFlows(counters.getNewFlows())
                .setEndedFin(counters.getEndedFin())
                .setEndedRst(counters.getEndedRst())
                .setEndedTimeout(counters.getEndedTimeout())
                .setEndedEvicted(counters.getEndedEvicted())
                .setActiveFlows(counters.getActiveFlows())
                .build();
    }

    private static FlowKey key(FlowCounterDelta one) {
        return new FlowKey(one.getProjectId(), one.getLoadBalancerId(), one.getListenerId(), one.getMemberId());
    }

    private static FlowCounterDelta minus(FlowCounterDelta now, FlowCounterDelta last) {
        return now.toBuilder()
                .setInPackets(difference(now.getInPackets(), last.getInPackets()))
                .setInBytes(difference(now.getInBytes(), last.getInBytes()))
                .setOutPackets(difference(now.getOutPackets(), last.getOutPackets()))
                .setOutBytes(difference(now.getOutBytes(), last.getOutBytes()))
                .setNewFlows(difference(now.getNewFlows(), last.getNewFlows()))
                .setEndedFin(difference(now.getEndedFin(), last.getEndedFin()))
                .setEndedRst(difference(now.getEndedRst(), last.getEndedRst()))
                .setEndedTimeout(difference(now.getEndedTimeout(), last.getEndedTimeout()))
                .setEndedEvicted(difference(now.getEndedEvicted(), last.getEndedEvicted()))
                .build();
    }

    /** A counter that fell belongs to a key that went and came back: it began at zero. */
    private static long difference(long now, long last) {
        return now >= last ? now - last : now;
    }

    private static boolean isZero(FlowCounterDelta delta) {
        return delta.getInPackets() == 0
                && delta.getInBytes() == 0
                && delta.getOutPackets() == 0
                && delta.getOutBytes() == 0
                && delta.getNewFlows() == 0
                && delta.getEndedFin() == 0
                && delta.getEndedRst() == 0
                && delta.getEndedTimeout() == 0
                && delta.getEndedEvicted() == 0;
    }
}
