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
 * @param network        second number of the management network 10.N.0.0/24, on which the launcher's own namespace has
 *                       the address .254; no two testbeds on a machine share it. 0: the launcher takes no part in it
 */
public record Shape(String prefix, int pops, int nodesPerPop, int backendsPerPop, int network) {
    /** From these the service's operators may make address pools. */
    public static final List<String> VIP_POOLS = List.of("203.0.113.0/24", "198.51.100.0/24", "2001:db8:f::/64");

    /** The management network unless another is chosen. */
    public static final int STANDARD_NETWORK = 200;
    // Inside the namespaces only.
    private static final int BACKBONE = 201;

    public Shape {
        if (!prefix.matches("[a-z][a-z0-9]{0,8}-")) {
            throw new IllegalArgumentException("prefix \"" + prefix + "\": letters and digits, then \"-\", at most 10");
        }
        requireRange("pops", pops, 4);
        requireRange("nodes", nodesPerPop, 9);
        requireRange("backends", backendsPerPop, 9);
        if (network != 0 && (network < 100 || network > 255 || network == BACKBONE)) {
            throw new IllegalArgumentException("network must be 100 to 255 without " + BACKBONE + ", not " + network);
        }
    }

    /** Two PoPs of two nodes each and three backends. */
    public static Shape standard() {
        return new Shape("weir-", 2, 2, 3, STANDARD_NETWORK);
    }

    public Shape withPrefix(String other) {
        return new Shape(other, pops, nodesPerPop, backendsPerPop, network);
    }

    public Shape withSize(int otherPops, int otherNodesPerPop) {
        return new Shape(prefix, otherPops, otherNodesPerPop, backendsPerPop, network);
    }

    public Shape withNetwork(int other) {
        return new Shape(prefix, pops, nodesPerPop, backendsPerPop, other);
    }

    /** Kafka's address: the management network's bridge. */
    public String coreAddress() {
        return management(1);
    }

    /** The launcher's own address on the management network. */
    public String launcherAddress() {
        return management(254);
    }

    /** The address of a PoP's router on the management network. */
    public String managementAddress(PopPlan pop) {
        return management(10 + pop.number());
    }

    public String managementPrefix() {
        return management(0) + "/24";
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

    private String management(int host) {
        return "10." + (network == 0 ? STANDARD_NETWORK : network) + ".0." + host;
    }

    private static void requireRange(String what, int value, int max) {
        if (value < 1 || value > max) {
            throw new IllegalArgumentException(what + " must be 1 to " + max + ", not " + value);
        }
    }
}
