// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.topology;

import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** BIRD's configuration of the routers around the nodes: what an operator of a PoP would have. */
final class RouterConfig {
    private static final String VIP_POOLS = hostRoutes("/32", pool -> !pool.contains(":"));
    private static final String VIP_POOLS_V6 = hostRoutes("/128", pool -> pool.contains(":"));

    private RouterConfig() {}

    private static String hostRoutes(String length, Predicate<String> family) {
        String bits = length.substring(1);
        return Shape.VIP_POOLS.stream()
                .filter(family)
                .map(pool -> pool + "{" + bits + "," + bits + "}")
                .collect(Collectors.joining(", ", "[ ", " ]"));
    }

    /** The PoP's own router: eBGP to its nodes, iBGP over the backbone, ECMP over the engines. */
    static String router(Shape shape, PopPlan pop) {
        List<PopPlan> others =
                shape.popPlans().stream().filter(other -> !other.equals(pop)).toList();
        String config = head(pop.backboneAddress())
                + """
                define vip_pools = %s;
                define vip_pools_v6 = %s;

                protocol direct {
                	ipv4;
                	ipv6;
                	interface "lan", "ctl", "clients", "bb0";
                }

                # The ways inside, as the backbone's own routing would give them.
                protocol static inside {
                	ipv4;
                	route %s via %s;
                %s}

                protocol static inside_v6 {
                	ipv6;
                	route %s via %s;
                %s}

                %s
                filter backbone_export {
                	if source = RTS_BGP && net ~ vip_pools then accept;
                	if net = %s then accept;
                	reject;
                }

                filter backbone_export_v6 {
                	if source = RTS_BGP && net ~ vip_pools_v6 then accept;
                	if net = %s then accept;
                	reject;
                }

                """.formatted(
                                VIP_POOLS,
                                VIP_POOLS_V6,
                                pop.membersPrefix(),
                                pop.membersLanAddress(),
                                others.stream()
                                        .map(other -> "\troute " + other.aggregate() + " via " + other.backboneAddress()
                                                + ";\n")
                                        .collect(Collectors.joining()),
                                pop.membersPrefixV6(),
                                pop.membersLanAddressV6(),
                                others.stream()
                                        .map(other -> "\troute " + other.aggregateV6() + " via "
                                                + other.backboneAddressV6() + ";\n")
                                        .collect(Collectors.joining()),
                                kernel(),
                                pop.clientsPrefix(),
                                pop.clientsPrefixV6());
        String nodes = shape.nodes(pop.number()).stream()
                .map(node -> nodeSession(
                        node,
                        pop.routerControlAddress(),
                        PopPlan.ROUTER_ASN,
                        pop.nodeAsn(),
                        "net ~ vip_pools",
                        "net ~ vip_pools_v6"))
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
                        	ipv6 {
                        		next hop self;
                        		next hop address %s;
                        		import all;
                        		export filter backbone_export_v6;
                        	};
                        }

                        """.formatted(
                                other.name(),
                                pop.backboneAddress(),
                                PopPlan.ROUTER_ASN,
                                other.backboneAddress(),
                                PopPlan.ROUTER_ASN,
                                pop.backboneAddressV6()))
                .collect(Collectors.joining());
        return config + nodes + backbone;
    }

    /** The router in front of the backends: its default route is the nodes. */
    static String members(Shape shape, PopPlan pop) {
        return head(pop.membersControlAddress())
                + """
                protocol direct {
                	ipv4;
                	ipv6;
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
                                "net = 0.0.0.0/0",
                                "net = ::/0"))
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

                protocol kernel {
                	merge paths on limit 16;
                	ipv6 {
                		import none;
                		export where source ~ [ RTS_BGP, RTS_STATIC ];
                	};
                }
                """;
    }

    // The next hop is the engine's address on the LAN, not the speaker's on the control network.
    private static String nodeSession(
            NodePlan node, String local, int localAsn, int nodeAsn, String accepted, String acceptedV6) {
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
                			if net ~ [ %s ] then accept;
                			reject;
                		};
                		import limit 10000 action block;
                		export none;
                	};
                	ipv6 {
                		gateway recursive;
                		next hop address ::1;
                		import filter {
                			if %s then accept;
                			if net ~ [ %s ] then accept;
                			reject;
                		};
                		import limit 10000 action block;
                		export none;
                	};
                }

                """.formatted(
                        node.number(),
                        local,
                        localAsn,
                        node.controlAddress(),
                        nodeAsn,
                        accepted,
                        ownRanges(node, false),
                        acceptedV6,
                        ownRanges(node, true));
    }

    private static String ownRanges(NodePlan node, boolean ipv6) {
        return Stream.concat(Stream.of(node.snatRange(), node.snatRangeV6()), node.tunnelSources().stream())
                .filter(range -> range.contains(":") == ipv6)
                .collect(Collectors.joining(", "));
    }
}
