// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.engine;

import dev.weir.messages.v1.EngineMessage;
import dev.weir.messages.v1.EngineRequest;
import dev.weir.messages.v1.EngineRole;
import dev.weir.messages.v1.ErrorCode;
import dev.weir.messages.v1.ErrorReply;
import dev.weir.messages.v1.FlowRecords;
import dev.weir.messages.v1.GetStatusReply;
import dev.weir.messages.v1.ProbeResult;
import dev.weir.messages.v1.StreamFlowsReply;
import dev.weir.messages.v1.TopSources;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** An {@link EngineModel} behind the real control protocol. */
public final class FakeEngine implements AutoCloseable {
    private final EngineModel model;
    private final ServerSocketChannel server;
    private final Path socket;
    private final List<SocketChannel> connections = new CopyOnWriteArrayList<>();
    private final BlockingQueue<SocketChannel> flowReaders = new LinkedBlockingQueue<>();
    private volatile @Nullable SocketChannel flowReader;
    private final AtomicReference<@Nullable SocketChannel> controller = new AtomicReference<>();

    /** Requests are taken and never answered. */
    public volatile boolean stuck;

    private FakeEngine(Path socket, EngineModel model, ServerSocketChannel server) {
        this.socket = socket;
        this.model = model;
        this.server = server;
    }

    public static FakeEngine listen(Path socket, EngineModel model) throws IOException {
        Files.deleteIfExists(socket);
        ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        server.bind(UnixDomainSocketAddress.of(socket));
        FakeEngine engine = new FakeEngine(socket, model, server);
        Thread.ofPlatform().daemon().start(engine::accept);
        return engine;
    }

    /** Breaks every connection, as a kill does. */
    @Override
    public void close() throws IOException {
        server.close();
        for (SocketChannel connection : connections) {
            connection.close();
        }
        Files.deleteIfExists(socket);
    }

    /** Waits until a connection has asked for flow records; it gets what is sent below. */
    public void awaitFlowReader() {
        try {
            flowReader = flowReaders.poll(10, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (flowReader == null) {
            throw new AssertionError("nobody asked for flow records");
        }
    }

    public void sendFlowRecords(FlowRecords records) throws IOException {
        send(EngineMessage.newBuilder().setFlowRecords(records).build());
    }

    public void sendTopSources(TopSources sources) throws IOException {
        send(EngineMessage.newBuilder().setTopSources(sources).build());
    }

    private void send(EngineMessage event) throws IOException {
        SocketChannel to = flowReader;
        if (to == null) {
            throw new IllegalStateException("nobody reads flow records");
        }
        EngineFrames.write(to, event);
    }

    private void accept() {
        try {
            while (true) {
                SocketChannel connection = server.accept();
                connections.add(connection);
                Thread.ofPlatform().daemon().start(() -> serve(connection));
            }
        } catch (IOException e) {
            // Closed.
            return;
        }
    }

    private void serve(SocketChannel connection) {
        try (connection) {
            for (byte[] frame = EngineFrames.read(connection); frame != null; frame = EngineFrames.read(connection)) {
                EngineRequest request = EngineRequest.parseFrom(frame);
                if (!stuck) {
                    EngineFrames.write(connection, answer(request, connection));
                    if (request.hasStreamFlows()) {
                        flowReaders.add(connection);
                    }
                }
            }
        } catch (IOException e) {
            // The agent is gone.
            connections.remove(connection);
        } finally {
            controller.compareAndSet(connection, null);
        }
    }

    private EngineMessage answer(EngineRequest request, SocketChannel connection) {
        EngineMessage.Builder reply = EngineMessage.newBuilder().setRequestId(request.getRequestId());
        switch (request.getRequestCase()) {
            case HELLO -> {
                boolean wants = request.getHello().getRole() == EngineRole.ENGINE_ROLE_CONTROLLER;
                if (wants && !controller.compareAndSet(null, connection)) {
                    reply.setError(error(ErrorCode.ERROR_CODE_CONTROLLER_PRESENT));
                } else {
                    reply.setHello(model.hello());
                }
            }
            case APPLY_NODE -> reply.setApplyNode(model.applyNode(request.getApplyNode()));
            case APPLY -> reply.setApply(model.apply(request.getApply()));
            case APPLY_PREFIX_LISTS -> reply.setApplyPrefixLists(model.applyPrefixLists(request.getApplyPrefixLists()));
            case SET_HEALTH -> reply.setSetHealth(model.setHealth(request.getSetHealth()));
            case PROBE ->
                reply.setRequestId(0)
                        .setProbeResult(ProbeResult.newBuilder()
                                .setProbeId(request.getProbe().getProbeId())
                                .setOutcome(model.outcome(request.getProbe().getMemberAddress()))
                                .setRttUs(120));
            case GET_STATE -> reply.setGetState(model.state());
            case GET_COUNTERS -> reply.setGetCounters(model.counters());
            case GET_STATUS ->
                reply.setGetStatus(GetStatusReply.newBuilder()
                        .setEngineStartId(model.startId)
                        .setReady(true));
            case LIST_MEMBERS ->
                reply.setListMembers(model.members(request.getListMembers().getLoadBalancerId()));
            case STREAM_FLOWS -> reply.setStreamFlows(StreamFlowsReply.getDefaultInstance());
            case LIST_FLOWS, EXPLAIN -> reply.setError(error(ErrorCode.ERROR_CODE_UNSUPPORTED));
            case REQUEST_NOT_SET -> reply.setError(error(ErrorCode.ERROR_CODE_MALFORMED));
        }
        return reply.build();
    }

    private static ErrorReply error(ErrorCode code) {
        return ErrorReply.newBuilder().setCode(code).setMessage(code.name()).build();
    }
}
