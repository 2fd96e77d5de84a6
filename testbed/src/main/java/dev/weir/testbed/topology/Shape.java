// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.topology;

import java.util.List;
import java.util.stream.IntStream;

/**
 * How large a testbed is, and the names that keep it apart from another one on the same machine.
 *
 * @param prefix         of every namespace's name and of the launcher's own link; at most 10 characters
 * @param pops           PoPs, 1 to 4, numbered from 1
 * @param nodesPerPop    nodes in each, 1 to 9
 * @param backendsPerPop backends behind each PoP's member-side router
 * @param launcherLink   whether the launcher's own namespace gets the address 10.200.0.254 on the management network;
 *                       only one testbed on a machine can have it
 */
public record Shape(String prefix, int pops, int nodesPerPop, int backendsPerPop, boolean launcherLink) {
    public Shape {
        if (!prefix.matches("[a-z][a-z0-9]{0,8}-")) {
            throw new IllegalArgumentException("prefix \"" + prefix + "\": letters and digits, then \"-\", at most 10");
        }
        requireRange("pops", pops, 4);
        requireRange("nodes", nodesPerPop, 9);
        requireRange("backends", backendsPerPop, 9);
    }

    /** Two PoPs of two nodes each and three backends. */
    public static Shape standard() {
        return new Shape("weir-", 2, 2, 3, true);
    }

    public Shape withPrefix(String other) {
        return new Shape(other, pops, nodesPerPop, backendsPerPop, launcherLink);
    }

    public Shape withSize(int otherPops, int otherNodesPerPop) {
        return new Shape(prefix, otherPops, otherNodesPerPop, backendsPerPop, launcherLink);
    }

    public Shape withoutLauncherLink() {
        return new Shape(prefix, pops, nodesPerPop, backendsPerPop, false);
    }

    public List<PopPlan> popPlans() {
        return IntStream.rangeClosed(1, pops).mapToObj(PopPlan::new).toList();
    }

    public List<NodePlan> nodes() {
        return popPlans().stream()
                .flatMap(pop ->
                        IntStream.rangeClosed(1, nodesPerPop).mapToObj(number -> new NodePlan(pop.number(), number)))
                .toList();
    }

    public List<NodePlan> nodes(int pop) {
        return nodes().stream().filter(node -> node.pop() == pop).toList();
    }

    public List<BackendPlan> backends() {
        return IntStream.rangeClosed(1, pops * backendsPerPop)
                .mapToObj(number -> new BackendPlan(number, (number - 1) / backendsPerPop + 1))
                .toList();
    }

    public List<BackendPlan> backends(int pop) {
        return backends().stream().filter(backend -> backend.pop() == pop).toList();
    }

    /** One client per PoP. */
    public List<ClientPlan> clients() {
        return IntStream.rangeClosed(1, pops).mapToObj(ClientPlan::new).toList();
    }

    /** The namespace of a place such as {@code client1} or {@code pop1-node1}. */
    public String namespace(String place) {
        return prefix + place;
    }

    private static void requireRange(String what, int value, int max) {
        if (value < 1 || value > max) {
            throw new IllegalArgumentException(what + " must be 1 to " + max + ", not " + value);
        }
    }
}
