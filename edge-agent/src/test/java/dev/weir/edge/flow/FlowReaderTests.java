// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.flow;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.edge.engine.EngineModel;
import dev.weir.edge.engine.FakeEngine;
import dev.weir.messages.v1.FlowEnd;
import dev.weir.messages.v1.FlowRecord;
import dev.weir.messages.v1.FlowRecords;
import dev.weir.messages.v1.FlowsRecord;
import dev.weir.messages.v1.TopSources;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FlowReaderTests {
    private static final Duration RETRY = Duration.ofMillis(10);
    private static final FlowRecord ENDED = FlowRecord.newBuilder()
            .setLoadBalancerId("lb_1")
            .setListenerId("lst_1")
            .setEnd(FlowEnd.FLOW_END_FIN)
            .build();

    @TempDir
    Path directory;

    private final RememberingSink sink = new RememberingSink();
    private FakeEngine engine;
    private FlowReader reader;

    @BeforeEach
    void begin() throws IOException {
        engine = FakeEngine.listen(socket(), new EngineModel());
        reader = new FlowReader(socket(), "node_1", sink, RETRY);
        reader.start();
        engine.awaitFlowReader();
    }

    @AfterEach
    void end() throws Exception {
        reader.close();
        engine.close();
    }

    private Path socket() {
        return directory.resolve("engine.sock");
    }

    @Test
    void recordsAreHandedOnWithTheNodesId() throws Exception {
        engine.sendFlowRecords(FlowRecords.newBuilder().addRecords(ENDED).build());

        FlowsRecord taken = sink.next();
        assertThat(taken.getFlow().getNodeId()).isEqualTo("node_1");
        assertThat(taken.getFlow().getEnd()).isEqualTo(FlowEnd.FLOW_END_FIN);
        assertThat(sink.lastKey).isEqualTo("lb_1");
    }

    @Test
    void topSourcesAreHandedOnWithTheNodesId() throws Exception {
        engine.sendTopSources(
                TopSources.newBuilder().setLoadBalancerId("lb_2").setNewFlows(7).build());

        FlowsRecord taken = sink.next();
        assertThat(taken.getTopSources().getNodeId()).isEqualTo("node_1");
        assertThat(taken.getTopSources().getNewFlows()).isEqualTo(7);
        assertThat(sink.lastKey).isEqualTo("lb_2");
    }

    @Test
    void whatTheEngineDroppedIsCountedOverConnections() throws Exception {
        engine.sendFlowRecords(
                FlowRecords.newBuilder().setLost(3).addRecords(ENDED).build());
        sink.next();
        engine.sendFlowRecords(
                FlowRecords.newBuilder().setLost(5).addRecords(ENDED).build());
        sink.next();
        engine.close();
        engine = FakeEngine.listen(socket(), new EngineModel());
        engine.awaitFlowReader();
        engine.sendFlowRecords(
                FlowRecords.newBuilder().setLost(2).addRecords(ENDED).build());
        sink.next();

        assertThat(reader.lost()).isEqualTo(7);
    }

    @Test
    void anEngineThatRestartsIsReadAgain() throws Exception {
        engine.close();
        engine = FakeEngine.listen(socket(), new EngineModel());
        engine.awaitFlowReader();

        engine.sendFlowRecords(FlowRecords.newBuilder().addRecords(ENDED).build());

        assertThat(sink.next().hasFlow()).isTrue();
    }

    private static final class RememberingSink implements FlowSink {
        private final BlockingQueue<FlowsRecord> taken = new LinkedBlockingQueue<>();
        private volatile String lastKey = "";

        FlowsRecord next() throws InterruptedException {
            FlowsRecord record = taken.poll(10, TimeUnit.SECONDS);
            assertThat(record).as("a record within ten seconds").isNotNull();
            return record;
        }

        @Override
        public void publish(String loadBalancerId, FlowsRecord record) {
            lastKey = loadBalancerId;
            taken.add(record);
        }

        @Override
        public long published() {
            return taken.size();
        }

        @Override
        public long lost() {
            return 0;
        }

        @Override
        public void close() {}
    }
}
