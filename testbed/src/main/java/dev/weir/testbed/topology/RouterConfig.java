// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.topology;

import java.util.List;
import java.util.stream.Collectors;

/** BIRD's configuration of the routers around the nodes: what an operator of a PoP would have. */
final class RouterConfig {
    // From these the service's operators may make address pools.
    private static final String VIP_POOLS = "[ 203.0.113.0/24{32,32}, 198.51.100.0/24{32,32} ]";

    private RouterConfig() {}

    /** The PoP's own router: eBGP to its nodes, iBGP over the backbone, ECMP over the engines. */
    static String router(Shape shape, PopPlan pop) {
        List<PopPlan> others =
                shape.popPlans().stream().filter(other -> !other.equals(pop)).toList();
        String config = head(pop.backboneAddress())
                + """
                define vip_pools = %s;

                protocol direct {
                	ipv4;
                	interface "lan", "ctl", "clients", "bb0";
                }

                # The ways inside, as the backbone's own routing would give them.
                protocol static inside {
                	ipv4;
                	route %s via %s;
                %s}

                %s
                filter backbone_export {
                	if source = RTS_BGP && net ~ vip_pools then accept;
                	if net = %s then accept;
                	reject;
                }

                """.formatted(
                                VIP_POOLS,
                                pop.membersPrefix(),
                                pop.membersLanAddress(),
                                others.stream()
                                        .map(other -> "\troute " + other.aggregate() + " via " + other.backboneAddress()
                                                + ";\n")
                                        .collect(Collectors.joining()),
                                kernel(),
                                pop.clientsPrefix());
        String nodes = shape.nodes(pop.number()).stream()
                .map(node -> nodeSession(
                        node, pop.routerControlAddress(), PopPlan.ROUTER_ASN, pop.nodeAsn(), "net ~ vip_pools"))
                .collect(Collectors.joining());
        String backbone = others.stream()
                .map(other -> """
                        protocol bgp %s {
                        	local %s as %d;
                        	neighbor %s as %d;
                        	connect delay time 1;
                        	connect retry time 1;
                        	error wait time 1, 2;
                        	bfd on;
                        	ipv4 {
                        		next hop self;
                        		import all;
                        		export filter backbone_export;
                        	};
                        }

                        """.formatted(
                                other.name(),
                                pop.backboneAddress(),
                                PopPlan.ROUTER_ASN,
                                other.backboneAddress(),
                                PopPlan.ROUTER_ASN))
                .collect(Collectors.joining());
        return config + nodes + backbone;
    }

    /** The router in front of the backends: its default route is the nodes. */
    static String members(Shape shape, PopPlan pop) {
        return head(pop.membersControlAddress())
                + """
                protocol direct {
                	ipv4;
                	interface "lan0", "ctl0";
                }

                """
                + kernel()
                + "\n"
                + shape.nodes(pop.number()).stream()
                        .map(node -> nodeSession(
                                node,
                                pop.membersControlAddress(),
                                PopPlan.MEMBERS_ASN,
                                pop.nodeAsn(),
                                "net = 0.0.0.0/0"))
                        .collect(Collectors.joining());
    }

    private static String head(String routerId) {
        return """
                # SPDX-License-Identifier: Apache-2.0
                log stderr all;
                router id %s;

                protocol device {}

                protocol bfd {
                	interface "*" {
                		interval 200 ms;
                		multiplier 5;
                	};
                }

                """.formatted(routerId);
    }

    private static String kernel() {
        return """
                protocol kernel {
                	merge paths on limit 16;
                	ipv4 {
                		import none;
                		export where source ~ [ RTS_BGP, RTS_STATIC ];
                	};
                }
                """;
    }

    // The next hop is the engine's address on the LAN, not the speaker's on the control network.
    private static String nodeSession(NodePlan node, String local, int localAsn, int nodeAsn, String accepted) {
        return """
                protocol bgp node%d {
                	local %s as %d;
                	neighbor %s as %d;
                	hold time 6;
                	keepalive time 2;
                	connect delay time 1;
                	connect retry time 1;
                	error wait time 1, 2;
                	bfd on;
                	ipv4 {
                		gateway recursive;
                		import filter {
                			if %s then accept;
                			if net = %s then accept;
                			reject;
                		};
                		import limit 10000 action block;
                		export none;
                	};
                }

                """.formatted(
                        node.number(), local, localAsn, node.controlAddress(), nodeAsn, accepted, node.snatRange());
    }
}
