// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.topology;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Looks into the routing tables of the topology's places. */
public final class Routes {
    private Routes() {}

    /**
     * The gateways of exactly this route, sorted; empty when there is no such route.
     *
     * @param prefix an address, a CIDR prefix, or {@code default}
     */
    public static List<String> nextHops(Topology topology, String place, String prefix)
            throws IOException, InterruptedException {
        Shell.Result result = Shell.run(topology.in(
                place, List.of("ip", prefix.contains(":") ? "-6" : "-4", "-o", "route", "show", "exact", prefix)));
        if (!result.ok()) {
            throw new IOException("cannot read the routes of " + place + ": "
                    + result.output().strip());
        }
        List<String> hops = new ArrayList<>();
        String[] words = result.output().replace('\\', ' ').trim().split("\\s+");
        for (int i = 0; i + 1 < words.length; i++) {
            if (words[i].equals("via")) {
                hops.add(words[i + 1]);
            }
        }
        return hops.stream().sorted().toList();
    }
}
