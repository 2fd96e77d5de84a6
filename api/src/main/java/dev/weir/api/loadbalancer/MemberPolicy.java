// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.loadbalancer;

import dev.weir.api.web.FieldFault;
import dev.weir.api.web.Networks;
import dev.weir.api.web.Networks.Network;
import dev.weir.compiler.LoadBalancerTree;
import dev.weir.compiler.LoadBalancerTree.MemberSpec;
import dev.weir.compiler.LoadBalancerTree.PoolSpec;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Where members may be: inside of the project's networks, and never where no server of the tenant can be, so that nobody
 * points an engine at a third party or at the service's own networks.
 *
 * @param allowed the project's networks; none: no member at all
 * @param own the service's networks: VIPs, data ports, SNAT ranges, routers
 */
record MemberPolicy(List<Network> allowed, List<Network> own) {
    private static final Map<Network, String> NOWHERE = Map.of(
            network("0.0.0.0/8"), "is not the address of a server",
            network("127.0.0.0/8"), "is a loopback address",
            network("169.254.0.0/16"), "is a link-local address",
            network("224.0.0.0/4"), "is a multicast address",
            network("240.0.0.0/4"), "is a reserved address",
            network("::/128"), "is not the address of a server",
            network("::1/128"), "is a loopback address",
            network("fe80::/10"), "is a link-local address",
            network("ff00::/8"), "is a multicast address");

    MemberPolicy {
        allowed = List.copyOf(allowed);
        own = List.copyOf(own);
    }

    static MemberPolicy of(List<String> allowed, List<String> own) {
        return new MemberPolicy(networks(allowed), networks(own));
    }

    private static List<Network> networks(List<String> texts) {
        return texts.stream().map(Networks::network).flatMap(Optional::stream).toList();
    }

    private static Network network(String text) {
        return Networks.network(text).orElseThrow();
    }

    List<FieldFault> faults(LoadBalancerTree tree) {
        List<FieldFault> faults = new ArrayList<>();
        for (int p = 0; p < tree.pools().size(); p++) {
            PoolSpec pool = tree.pools().get(p);
            for (int m = 0; m < pool.members().size(); m++) {
                MemberSpec member = pool.members().get(m);
                String pointer = "/pools/%d/members/%d/address".formatted(p, m);
                check(member.address(), pointer).ifPresent(faults::add);
            }
        }
        return faults;
    }

    private Optional<FieldFault> check(String text, String pointer) {
        // What is no address at all is the compiler's to say.
        return Networks.address(text).flatMap(address -> check(address, text, pointer));
    }

    private Optional<FieldFault> check(InetAddress address, String text, String pointer) {
        Optional<String> nowhere = NOWHERE.entrySet().stream()
                .filter(entry -> entry.getKey().contains(address))
                .map(Map.Entry::getValue)
                .findFirst();
        if (nowhere.isPresent()) {
            return Optional.of(
                    new FieldFault(pointer, "MEMBER_ADDRESS_FORBIDDEN", "%s %s.".formatted(text, nowhere.get())));
        }
        if (own.stream().anyMatch(network -> network.contains(address))) {
            return Optional.of(new FieldFault(
                    pointer,
                    "MEMBER_ADDRESS_FORBIDDEN",
                    "%s belongs to the load-balancing service itself.".formatted(text)));
        }
        if (allowed.stream().noneMatch(network -> network.contains(address))) {
            return Optional.of(new FieldFault(
                    pointer,
                    "MEMBER_ADDRESS_OUTSIDE_PROJECT",
                    "%s is outside of the project's networks for members.".formatted(text)));
        }
        return Optional.empty();
    }
}
