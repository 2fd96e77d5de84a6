// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.flow;

import com.google.protobuf.MessageLite;
import dev.weir.edge.engine.EngineFrames;
import dev.weir.messages.v1.EngineMessage;
import dev.weir.messages.v1.EngineRequest;
import dev.weir.messages.v1.EngineRole;
import dev.weir.messages.v1.FlowRecord;
import dev.weir.messages.v1.FlowRecords;
import dev.weir.messages.v1.FlowsRecord;
import dev.weir.messages.v1.HelloRequest;
import dev.weir.messages.v1.StreamFlowsRequest;
import dev.weir.messages.v1.TopSources;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads the engine's stream of flow records on a connection of its own and hands them on with the node's id. Nothing is
 * kept here: while the sink holds the thread, the engine drops records and counts them.
 */
public final class FlowReader implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(FlowReader.class);
    private static final int PROTOCOL_VERSION = 1;

    private final Path socket;
    private final String nodeId;
    private final FlowSink sink;
    private final Duration retry;
    private final Thread thread;
    private final AtomicLong lostByEngine = new AtomicLong();
    private volatile boolean closing;
    private volatile @Nullable SocketChannel connection;

    /** @param retry pause before the engine is tried again */
    public FlowReader(Path socket, String nodeId, FlowSink sink, Duration retry) {
        this.socket = socket;
        this.nodeId = nodeId;
        this.sink = sink;
        this.retry = retry;
        this.thread = Thread.ofPlatform().daemon().name("flow-reader").unstarted(this::run);
    }

    public void start() {
        thread.start();
    }

    @Override
    public void close() throws InterruptedException, IOException {
        closing = true;
        SocketChannel open = connection;
        if (open != null) {
            open.close();
        }
        thread.interrupt();
        thread.join();
        sink.close();
    }

    /** Records that reached the sink's other side. */
    public long published() {
        return sink.published();
    }

    /** Records lost on the way, in the engine or behind the sink. */
    public long lost() {
        return lostByEngine.get() + sink.lost();
    }

    private void run() {
        String lastFailure = "";
        while (!closing) {
            try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
                connection = channel;
                subscribe(channel);
                if (!lastFailure.isEmpty()) {
                    log.info("flow records come again");
                    lastFailure = "";
                }
                read(channel);
            } catch (IOException e) {
                String failure = String.valueOf(e.getMessage());
                if (!closing && lastFailure.isEmpty()) {
                    log.atInfo().addKeyValue("reason", failure).log("no flow records come, trying on");
                }
                lastFailure = failure;
            }
            connection = null;
            try {
                Thread.sleep(retry);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
    }

    private static void subscribe(SocketChannel channel) throws IOException {
        ask(
                channel,
                EngineRequest.newBuilder()
                        .setRequestId(1)
                        .setHello(HelloRequest.newBuilder()
                                .setRole(EngineRole.ENGINE_ROLE_READER)
                                .setProtocolVersion(PROTOCOL_VERSION))
                        .build());
        ask(
                channel,
                EngineRequest.newBuilder()
                        .setRequestId(2)
                        .setStreamFlows(
                                StreamFlowsRequest.newBuilder().setRecords(true).setTopSources(true))
                        .build());
    }

    private static void ask(SocketChannel channel, MessageLite request) throws IOException {
        EngineFrames.write(channel, request);
        EngineMessage reply = next(channel);
        if (reply.hasError()) {
            throw new IOException(reply.getError().getMessage());
        }
    }

    private static EngineMessage next(SocketChannel channel) throws IOException {
        byte[] frame = EngineFrames.read(channel);
        if (frame == null) {
            throw new IOException("the engine closed the connection");
        }
        return EngineMessage.parseFrom(frame);
    }

    private void read(SocketChannel channel) throws IOException {
        long lostHere = 0;
        while (!closing) {
            EngineMessage message = next(channel);
            if (message.hasFlowRecords()) {
                FlowRecords records = message.getFlowRecords();
                lostByEngine.addAndGet(records.getLost() - lostHere);
                lostHere = records.getLost();
                records.getRecordsList().forEach(this::publish);
            } else if (message.hasTopSources()) {
                publish(message.getTopSources());
            }
        }
    }

    private void publish(FlowRecord record) {
        sink.publish(
                record.getLoadBalancerId(),
                FlowsRecord.newBuilder()
                        .setFlow(record.toBuilder().setNodeId(nodeId))
                        .build());
    }

    private void publish(TopSources sources) {
        sink.publish(
                sources.getLoadBalancerId(),
                FlowsRecord.newBuilder()
                        .setTopSources(sources.toBuilder().setNodeId(nodeId))
                        .build());
    }
}
