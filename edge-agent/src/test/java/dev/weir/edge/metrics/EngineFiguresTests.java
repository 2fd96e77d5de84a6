// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.messages.v1.FlowTableClass;
import dev.weir.messages.v1.GetStatusReply;
import dev.weir.messages.v1.LcoreStatus;
import java.util.Map;
import org.junit.jupiter.api.Test;

class EngineFiguresTests {
    @Test
    void everyFigureIsALineOfItsOwn() {
        GetStatusReply status = GetStatusReply.newBuilder()
                .setReady(true)
                .setUptimeUs(12_345_678)
                .setFlowTableUsed(30)
                .setFlowTableCapacity(100)
                .setPacketBuffers(4096)
                .setPacketBuffersFree(4000)
                .addLcores(lcore(1, 7, 10))
                .addLcores(lcore(2, 8, 20))
                .build();
        PrometheusText text = new PrometheusText();

        new EngineFigures(status, Map.of("snat_ports_exhausted", 5L)).print(text);

        assertThat(text.toString().lines().filter(line -> !line.startsWith("#")))
                .containsExactly(
                        "weir_engine_ready 1",
                        "weir_engine_uptime_seconds 12",
                        "weir_engine_flows 30",
                        "weir_engine_flow_table_capacity 100",
                        "weir_engine_flow_table_discarded 0",
                        "weir_engine_packet_buffers 4096",
                        "weir_engine_packet_buffers_free 4000",
                        "weir_engine_flow_records_sent_total 0",
                        "weir_engine_flow_records_lost_total 0",
                        "weir_engine_flow_entries{class=\"nat4\"} 30",
                        "weir_engine_received_packets_total{lcore=\"1\"} 7",
                        "weir_engine_received_packets_total{lcore=\"2\"} 8",
                        "weir_engine_sent_packets_total{lcore=\"1\"} 0",
                        "weir_engine_sent_packets_total{lcore=\"2\"} 0",
                        "weir_engine_unsent_packets_total{lcore=\"1\"} 0",
                        "weir_engine_unsent_packets_total{lcore=\"2\"} 0",
                        "weir_engine_flood_forwarded_packets_total{lcore=\"1\"} 0",
                        "weir_engine_flood_forwarded_packets_total{lcore=\"2\"} 0",
                        "weir_engine_dropped_packets_total{reason=\"snat_ports_exhausted\"} 5");
        assertThat(text.toString()).contains("# TYPE weir_engine_dropped_packets_total counter\n");
    }

    private static LcoreStatus lcore(int lcore, long received, long entries) {
        return LcoreStatus.newBuilder()
                .setLcore(lcore)
                .setRxPackets(received)
                .addClasses(FlowTableClass.newBuilder().setName("nat4").setUsed(entries))
                .build();
    }
}
