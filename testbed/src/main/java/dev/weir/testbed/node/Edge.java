// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.node;

import dev.weir.testbed.Part;
import dev.weir.testbed.topology.Layout;
import dev.weir.testbed.topology.Routers;
import dev.weir.testbed.topology.Shape;
import dev.weir.testbed.topology.Topology;
import dev.weir.testbed.traffic.Backends;
import java.io.IOException;
import java.util.List;
import java.util.stream.Stream;

/**
 * Everything outside the centre: namespaces, routers, backends, and the nodes between them.
 *
 * <p>Start order: {@link Topology#create()}, then routers, backends, engines and guards in any order; agents once their
 * nodes are {@linkplain NodeRuntime#enrol enrolled}.
 */
public final class Edge {
    private final Topology topology;
    private final List<Part> routers;
    private final List<Part> backends;
    private final List<NodeRuntime> nodes;

    public Edge(Shape shape, NodePrograms programs, Layout layout) {
        this.topology = new Topology(shape);
        this.routers = new Routers(topology, layout).parts();
        this.backends = new Backends(topology, layout).parts();
        this.nodes = shape.nodes().stream()
                .map(node -> new NodeRuntime(topology, node, programs, layout))
                .toList();
    }

    public Topology topology() {
        return topology;
    }

    /** {@code pop1-router}, {@code pop1-members}, …. */
    public List<Part> routers() {
        return routers;
    }

    /** {@code backend1}, …. */
    public List<Part> backends() {
        return backends;
    }

    public List<NodeRuntime> nodes() {
        return nodes;
    }

    /** The node called {@code pop1-node1} and so on. */
    public NodeRuntime node(String name) {
        return nodes.stream()
                .filter(node -> node.plan().name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("there is no node " + name));
    }

    /** All parts, in an order in which they can be started once all nodes are enrolled. */
    public List<Part> parts() {
        return Stream.of(routers.stream(), backends.stream(), nodes.stream().flatMap(node -> node.parts().stream()))
                .flatMap(parts -> parts)
                .toList();
    }

    /** Stops what this object started, agents first so that nothing is reported about the rest's going. */
    public void stop() throws IOException, InterruptedException {
        for (NodeRuntime node : nodes) {
            node.agent().stop();
        }
        for (NodeRuntime node : nodes) {
            node.engine().stop();
            node.guard().stop();
        }
        for (Part part : Stream.concat(backends.stream(), routers.stream()).toList()) {
            part.stop();
        }
    }

    /** Kills whatever runs in the namespaces, whoever started it, and leaves none of them and no shared memory. */
    public void remove() throws IOException, InterruptedException {
        topology.remove();
        NodeRuntime.forgetAllFlows(topology.shape().prefix());
    }
}
