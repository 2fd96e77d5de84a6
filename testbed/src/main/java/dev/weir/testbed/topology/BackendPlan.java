// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.topology;

/**
 * The names and addresses of one backend.
 *
 * @param number from 1, over all PoPs
 * @param pop    the number of the PoP it lives behind
 */
public record BackendPlan(int number, int pop) {
    public static final int HTTP_PORT = 8080;
    public static final int UDP_PORT = 7000;
    /** The same server on other ports: under dnat a member's port can serve one VIP's port only. */
    public static final int OTHER_HTTP_PORT = 8081;

    public static final int OTHER_UDP_PORT = 7001;

    public String name() {
        return "backend" + number;
    }

    public String address() {
        return "10." + pop + ".20." + (10 + number);
    }

    public String addressV6() {
        return "2001:db8:" + pop + ":20::" + (10 + number);
    }
}
