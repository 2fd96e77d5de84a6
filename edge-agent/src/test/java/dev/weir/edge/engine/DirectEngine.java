// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.engine;

import dev.weir.messages.v1.ApplyNodeReply;
import dev.weir.messages.v1.ApplyNodeRequest;
import dev.weir.messages.v1.ApplyPrefixListsReply;
import dev.weir.messages.v1.ApplyPrefixListsRequest;
import dev.weir.messages.v1.ApplyReply;
import dev.weir.messages.v1.ApplyRequest;
import dev.weir.messages.v1.GetCountersReply;
import dev.weir.messages.v1.GetStateReply;
import dev.weir.messages.v1.GetStatusReply;
import dev.weir.messages.v1.HelloReply;
import dev.weir.messages.v1.ListMembersReply;
import dev.weir.messages.v1.ProbeRequest;
import dev.weir.messages.v1.SetHealthReply;
import dev.weir.messages.v1.SetHealthRequest;
import java.util.ArrayList;
import java.util.List;

/** An engine model without a socket between; {@link #fail} breaks the connection. */
public final class DirectEngine implements Engine {
    private final EngineModel model;
    public final List<ProbeRequest> probes = new ArrayList<>();
    private boolean broken;

    public DirectEngine(EngineModel model) {
        this.model = model;
    }

    public void fail() {
        broken = true;
    }

    private EngineModel model() throws EngineException {
        if (broken) {
            throw EngineException.unavailable("broken by the test");
        }
        return model;
    }

    @Override
    public HelloReply hello() {
        return model.hello();
    }

    @Override
    public ApplyNodeReply applyNode(ApplyNodeRequest request) throws EngineException {
        return model().applyNode(request);
    }

    @Override
    public ApplyReply apply(ApplyRequest request) throws EngineException {
        return model().apply(request);
    }

    @Override
    public ApplyPrefixListsReply applyPrefixLists(ApplyPrefixListsRequest request) throws EngineException {
        return model().applyPrefixLists(request);
    }

    @Override
    public SetHealthReply setHealth(SetHealthRequest request) throws EngineException {
        return model().setHealth(request);
    }

    @Override
    public GetStateReply getState() throws EngineException {
        return model().state();
    }

    @Override
    public GetCountersReply getCounters() throws EngineException {
        return model().counters();
    }

    @Override
    public GetStatusReply getStatus() throws EngineException {
        return GetStatusReply.newBuilder()
                .setReady(true)
                .setEngineStartId(model().startId)
                .build();
    }

    @Override
    public ListMembersReply listMembers(String loadBalancerId) throws EngineException {
        return model().members(loadBalancerId);
    }

    @Override
    public void probe(ProbeRequest request) throws EngineException {
        if (model() == model) {
            probes.add(request);
        }
    }

    @Override
    public void close() {
        broken = true;
    }
}
