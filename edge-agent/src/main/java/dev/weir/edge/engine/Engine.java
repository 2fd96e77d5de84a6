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

/**
 * One connection to a running engine, as its controller. Once a call has failed with {@link
 * EngineException.Kind#UNAVAILABLE} every later one does; connect anew. Calls come from one thread.
 */
public interface Engine extends AutoCloseable {
    /** What the engine said of itself when the connection was made. */
    HelloReply hello();

    ApplyNodeReply applyNode(ApplyNodeRequest request) throws EngineException;

    /** Returns when no worker uses what was replaced any more. */
    ApplyReply apply(ApplyRequest request) throws EngineException;

    ApplyPrefixListsReply applyPrefixLists(ApplyPrefixListsRequest request) throws EngineException;

    SetHealthReply setHealth(SetHealthRequest request) throws EngineException;

    GetStateReply getState() throws EngineException;

    GetCountersReply getCounters() throws EngineException;

    GetStatusReply getStatus() throws EngineException;

    /** @param loadBalancerId empty: of every load balancer */
    ListMembersReply listMembers(String loadBalancerId) throws EngineException;

    /** Orders one probe; its result comes as an event, or never if the engine goes away. */
    void probe(ProbeRequest request) throws EngineException;

    @Override
    void close();
}
