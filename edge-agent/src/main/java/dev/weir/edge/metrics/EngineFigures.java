// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.metrics;

import dev.weir.messages.v1.FlowTableClass;
import dev.weir.messages.v1.GetStatusReply;
import dev.weir.messages.v1.LcoreStatus;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.ToLongFunction;

/**
 * What the node's engine says of itself, for those who watch the node: alarms on tables and ports that run full are set
 * on these.
 *
 * @param drops packets since the engine's counters began, by reason
 */
public record EngineFigures(GetStatusReply status, Map<String, Long> drops) {
    /** Of an engine that has not been asked yet. */
    public static EngineFigures none() {
        return new EngineFigures(GetStatusReply.getDefaultInstance(), Map.of());
    }

    void print(PrometheusText text) {
        text.line("gauge", "weir_engine_ready", status.getReady() ? 1 : 0);
        text.line("gauge", "weir_engine_uptime_seconds", status.getUptimeUs() / 1_000_000);
        text.line("gauge", "weir_engine_flows", status.getFlowTableUsed());
        text.line("gauge", "weir_engine_flow_table_capacity", status.getFlowTableCapacity());
        text.line("gauge", "weir_engine_flow_table_discarded", status.getFlowTableDiscarded() ? 1 : 0);
        text.line("gauge", "weir_engine_packet_buffers", status.getPacketBuffers());
        text.line("gauge", "weir_engine_packet_buffers_free", status.getPacketBuffersFree());
        text.line("counter", "weir_engine_flow_records_sent_total", status.getFlowRecordsSent());
        text.line("counter", "weir_engine_flow_records_lost_total", status.getFlowRecordsLost());
        text.lines("gauge", "weir_engine_flow_entries", "class", entriesByClass());
        text.lines("counter", "weir_engine_received_packets_total", "lcore", byLcore(LcoreStatus::getRxPackets));
        text.lines("counter", "weir_engine_sent_packets_total", "lcore", byLcore(LcoreStatus::getTxPackets));
        text.lines("counter", "weir_engine_unsent_packets_total", "lcore", byLcore(LcoreStatus::getTxDropped));
        text.lines(
                "counter",
                "weir_engine_flood_forwarded_packets_total",
                "lcore",
                byLcore(LcoreStatus::getFloodForwarded));
        text.lines("counter", "weir_engine_dropped_packets_total", "reason", drops);
    }

    private Map<String, Long> entriesByClass() {
        Map<String, Long> entries = new TreeMap<>();
        status.getLcoresList().stream()
                .flatMap(lcore -> lcore.getClassesList().stream())
                .forEach((FlowTableClass of) -> entries.merge(of.getName(), of.getUsed(), Long::sum));
        return entries;
    }

    private Map<String, Long> byLcore(ToLongFunction<LcoreStatus> figure) {
        Map<String, Long> figures = new TreeMap<>();
        status.getLcoresList()
                .forEach(lcore -> figures.put(Integer.toString(lcore.getLcore()), figure.applyAsLong(lcore)));
        return figures;
    }
}
