// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.topology;

import java.util.List;

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

    /** As {@link #dataAddress}. */
    public String dataAddressV6() {
        return "2001:db8:" + pop + "::" + (10 + number);
    }

    /** As {@link #snatRange}. */
    public String snatRangeV6() {
        return "2001:db8:" + pop + ":3" + number + "::/124";
    }

    /** Outer sources of this node's tunnels, of both families. */
    public List<String> tunnelSources() {
        return List.of("10." + pop + ".4" + number + ".0/28", "2001:db8:" + pop + ":4" + number + "::/124");
    }
}
