// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.topology;

/**
 * The names and addresses of one node.
 *
 * @param pop    the PoP's number, from 1
 * @param number within the PoP, from 1
 */
public record NodePlan(int pop, int number) {
    public String name() {
        return "pop" + pop + "-node" + number;
    }

    /** The engine's own address; the kernel does not have it. */
    public String dataAddress() {
        return "10." + pop + ".0." + (10 + number);
    }

    /** The kernel's address, for BGP and Kafka; BIRD's router id too. */
    public String controlAddress() {
        return "10." + pop + ".1." + (10 + number);
    }

    /** Source addresses of this node alone. */
    public String snatRange() {
        return "10." + pop + ".3" + number + ".0/28";
    }
}
