// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.engine;

import dev.weir.messages.v1.ApplyNodeReply;
import dev.weir.messages.v1.ApplyNodeRequest;
import dev.weir.messages.v1.ApplyPrefixListsReply;
import dev.weir.messages.v1.ApplyPrefixListsRequest;
import dev.weir.messages.v1.ApplyReply;
import dev.weir.messages.v1.ApplyRequest;
import dev.weir.messages.v1.EngineMessage;
import dev.weir.messages.v1.EngineRequest;
import dev.weir.messages.v1.EngineRole;
import dev.weir.messages.v1.GetCountersReply;
import dev.weir.messages.v1.GetCountersRequest;
import dev.weir.messages.v1.GetStateReply;
import dev.weir.messages.v1.GetStateRequest;
import dev.weir.messages.v1.GetStatusReply;
import dev.weir.messages.v1.GetStatusRequest;
import dev.weir.messages.v1.HelloReply;
import dev.weir.messages.v1.HelloRequest;
import dev.weir.messages.v1.ListMembersReply;
import dev.weir.messages.v1.ListMembersRequest;
import dev.weir.messages.v1.ProbeRequest;
import dev.weir.messages.v1.SetHealthReply;
import dev.weir.messages.v1.SetHealthRequest;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The real engine behind its Unix socket. A reader and a writer thread per connection, so that an engine that stops
 * reading can't hold the caller past the timeout.
 */
public final class SocketEngine implements Engine {
    private static final Logger log = LoggerFactory.getLogger(SocketEngine.class);
    private static final int PROTOCOL_VERSION = 1;

    private final SocketChannel channel;
    private final Duration timeout;
    private final EngineEvents events;
    private final AtomicLong lastRequestId = new AtomicLong();
    private final Map<Long, CompletableFuture<EngineMessage>> pending = new ConcurrentHashMap<>();
    private final BlockingQueue<EngineRequest> outgoing = new LinkedBlockingQueue<>();
    private final AtomicBoolean closed = new AtomicBoolean();
    private final Thread writer;
    private HelloReply hello = HelloReply.getDefaultInstance();

    private SocketEngine(SocketChannel channel, Duration timeout, EngineEvents events) {
        this.channel = channel;
        this.timeout = timeout;
        this.events = events;
        this.writer = Thread.ofPlatform().daemon().name("engine-writer").unstarted(this::writeLoop);
    }

    /**
     * Connects and says hello as the controller.
     *
     * @throws EngineException if nobody listens, another controller is connected or the versions differ
     */
    public static SocketEngine connect(Path socket, Duration timeout, EngineEvents events) throws EngineException {
        SocketChannel channel;
        try {
            channel = SocketChannel.open(UnixDomainSocketAddress.of(socket));
        } catch (IOException e) {
            throw EngineException.unavailable("no engine listens at " + socket, e);
        }
        SocketEngine engine = new SocketEngine(channel, timeout, events);
        engine.writer.start();
        Thread.ofPlatform().daemon().name("engine-reader").start(engine::readLoop);
        try {
            engine.hello = engine.call(EngineRequest.newBuilder()
                            .setHello(HelloRequest.newBuilder()
                                    .setRole(EngineRole.ENGINE_ROLE_CONTROLLER)
                                    .setProtocolVersion(PROTOCOL_VERSION)))
                    .getHello();
        } catch (EngineException e) {
            engine.shutDown("hello failed");
            throw e;
        }
        if (engine.hello.getProtocolVersion() != PROTOCOL_VERSION) {
            engine.shutDown("protocol versions differ");
            throw EngineException.unavailable("the engine speaks protocol " + engine.hello.getProtocolVersion()
                    + ", this agent " + PROTOCOL_VERSION);
        }
        return engine;
    }

    @Override
    public HelloReply hello() {
        return hello;
    }

    @Override
    public ApplyNodeReply applyNode(ApplyNodeRequest request) throws EngineException {
        return call(EngineRequest.newBuilder().setApplyNode(request)).getApplyNode();
    }

    @Override
    public ApplyReply apply(ApplyRequest request) throws EngineException {
        return call(EngineRequest.newBuilder().setApply(request)).getApply();
    }

    @Override
    public ApplyPrefixListsReply applyPrefixLists(ApplyPrefixListsRequest request) throws EngineException {
        return call(EngineRequest.newBuilder().setApplyPrefixLists(request)).getApplyPrefixLists();
    }

    @Override
    public SetHealthReply setHealth(SetHealthRequest request) throws EngineException {
        return call(EngineRequest.newBuilder().setSetHealth(request)).getSetHealth();
    }

    @Override
    public GetStateReply getState() throws EngineException {
        return call(EngineRequest.newBuilder().setGetState(GetStateRequest.getDefaultInstance()))
                .getGetState();
    }

    @Override
    public GetCountersReply getCounters() throws EngineException {
        return call(EngineRequest.newBuilder().setGetCounters(GetCountersRequest.getDefaultInstance()))
                .getGetCounters();
    }

    @Override
    public GetStatusReply getStatus() throws EngineException {
        return call(EngineRequest.newBuilder().setGetStatus(GetStatusRequest.getDefaultInstance()))
                .getGetStatus();
    }

    @Override
    public ListMembersReply listMembers(String loadBalancerId) throws EngineException {
        return call(EngineRequest.newBuilder()
                        .setListMembers(ListMembersRequest.newBuilder().setLoadBalancerId(loadBalancerId)))
                .getListMembers();
    }

    @Override
    public void probe(ProbeRequest request) throws EngineException {
        if (closed.get()) {
            throw EngineException.unavailable("the connection to the engine is closed");
        }
        outgoing.add(EngineRequest.newBuilder()
                .setRequestId(lastRequestId.incrementAndGet())
                .setProbe(request)
                .build());
    }

    @Override
    public void close() {
        shutDown("closed by the agent");
    }

    private EngineMessage call(EngineRequest.Builder builder) throws EngineException {
        EngineRequest request =
                builder.setRequestId(lastRequestId.incrementAndGet()).build();
        CompletableFuture<EngineMessage> reply = new CompletableFuture<>();
        pending.put(request.getRequestId(), reply);
        if (closed.get()) {
            pending.remove(request.getRequestId());
            throw EngineException.unavailable("the connection to the engine is closed");
        }
        outgoing.add(request);
        try {
            EngineMessage message = reply.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
            if (message.hasError()) {
                throw EngineException.refused(
                        message.getError().getCode(), message.getError().getMessage());
            }
            // A reply has the field number of its request.
            if (message.getMessageCase().getNumber() != request.getRequestCase().getNumber()) {
                shutDown("reply of the wrong kind");
                throw EngineException.unavailable(
                        "the engine answered " + request.getRequestCase() + " with " + message.getMessageCase());
            }
            return message;
        } catch (TimeoutException e) {
            shutDown("no reply in " + timeout.toMillis() + " ms");
            throw EngineException.unavailable(
                    "no reply to " + request.getRequestCase() + " in " + timeout.toMillis() + " ms", e);
        } catch (ExecutionException e) {
            throw EngineException.unavailable("the connection to the engine broke", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            shutDown("the agent stops");
            throw EngineException.unavailable("interrupted", e);
        } finally {
            pending.remove(request.getRequestId());
        }
    }

    private void writeLoop() {
        try {
            while (!closed.get()) {
                EngineFrames.write(channel, outgoing.take());
            }
        } catch (IOException e) {
            shutDown("write failed: " + e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void readLoop() {
        String reason = "the engine closed the connection";
        try {
            while (!closed.get()) {
                byte[] frame = EngineFrames.read(channel);
                if (frame == null) {
                    break;
                }
                receive(EngineMessage.parseFrom(frame));
            }
        } catch (IOException e) {
            reason = "read failed: " + e.getMessage();
        }
        shutDown(reason);
    }

    private void receive(EngineMessage message) {
        if (message.hasProbeResult()) {
            events.onProbeResult(message.getProbeResult());
            return;
        }
        if (message.hasDrainEnded()) {
            events.onDrainEnded(message.getDrainEnded());
            return;
        }
        CompletableFuture<EngineMessage> reply = pending.remove(message.getRequestId());
        if (reply != null) {
            reply.complete(message);
        } else if (message.hasError()) {
            log.atDebug()
                    .addKeyValue("code", message.getError().getCode())
                    .addKeyValue("message", message.getError().getMessage())
                    .log("engine refused a probe");
        }
    }

    private void shutDown(String reason) {
        if (!closed.compareAndSet(false, true)) {
            return;
        }
        try {
            channel.close();
        } catch (IOException e) {
            log.debug("closing the engine socket failed", e);
        }
        writer.interrupt();
        EngineException broken = EngineException.unavailable(reason);
        pending.values().forEach(reply -> reply.completeExceptionally(broken));
        events.onDisconnected(reason);
    }
}
