// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.topology;

/**
 * The names and addresses of the client of one PoP.
 *
 * @param pop the PoP's number, from 1
 */
public record ClientPlan(int pop) {
    public String name() {
        return "client" + pop;
    }

    public String address() {
        return "192.0.2." + (64 * (pop - 1) + 10);
    }

    public String addressV6() {
        return "2001:db8:c:" + pop + "::10";
    }
}
