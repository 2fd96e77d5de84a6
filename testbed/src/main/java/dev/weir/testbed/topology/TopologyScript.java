// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.topology;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The commands that lay a shape out, in one bash script: a process per namespace, not one per command. */
final class TopologyScript {
    private static final List<String> SYSCTLS = List.of(
            "net.ipv4.conf.all.rp_filter=0",
            "net.ipv4.conf.default.rp_filter=0",
            "net.ipv4.conf.all.send_redirects=0",
            "net.ipv4.conf.default.send_redirects=0");
    private static final List<String> NO_IPV6 =
            List.of("net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1");
    // Every address is given here: nothing is learnt from routers, and no address has to prove itself first.
    private static final List<String> STATIC_IPV6 = List.of(
            "net.ipv6.conf.all.accept_ra=0",
            "net.ipv6.conf.default.accept_ra=0",
            "net.ipv6.conf.all.accept_dad=0",
            "net.ipv6.conf.default.accept_dad=0");
    private static final List<String> ROUTER_SYSCTLS = List.of(
            "net.ipv4.ip_forward=1",
            "net.ipv4.fib_multipath_hash_policy=1",
            "net.ipv6.conf.all.forwarding=1",
            "net.ipv6.fib_multipath_hash_policy=1");
    // The engine answers for data0; the kernel must not, for any of its other addresses.
    private static final List<String> NODE_SYSCTLS =
            List.of("net.ipv4.conf.all.arp_ignore=1", "net.ipv4.conf.all.arp_announce=2");

    /** On the member-side router: the way of what members send by themselves from a VIP, past the engines. */
    private static final String DIRECT_TABLE = "100";

    private final Shape shape;
    private final List<String> places;
    private final StringBuilder links = new StringBuilder();
    private final Map<String, StringBuilder> inside = new LinkedHashMap<>();
    private final StringBuilder outside = new StringBuilder();

    TopologyScript(Shape shape, List<String> places) {
        this.shape = shape;
        this.places = places;
    }

    String text() {
        places.forEach(place -> inside.put(place, new StringBuilder()));
        core();
        shape.popPlans().forEach(this::pop);
        StringBuilder script = new StringBuilder("ip -batch - <<'END'\n");
        places.forEach(place ->
                script.append("netns add ").append(shape.namespace(place)).append('\n'));
        script.append("END\n");
        for (String place : places) {
            script.append("ip netns exec ")
                    .append(shape.namespace(place))
                    .append(" sysctl -qw ")
                    .append(String.join(" ", sysctls(place)))
                    .append('\n');
        }
        script.append("ip -batch - <<'END'\n").append(links).append("END\n");
        inside.forEach((place, commands) -> script.append("ip -n ")
                .append(shape.namespace(place))
                .append(" -batch - <<'END'\nlink set lo up\n")
                .append(commands)
                .append("END\n"));
        script.append(outside);
        // With transmit offloads a veth end sends partial checksums and frames of 64 KiB, which the engine cannot take.
        shape.backends().forEach(backend -> offloadsOff(script, backend.name()));
        shape.clients().forEach(client -> offloadsOff(script, client.name()));
        return script.toString();
    }

    private static List<String> sysctls(String place) {
        if (place.endsWith("-router") || place.endsWith("-members")) {
            return concat(SYSCTLS, STATIC_IPV6, ROUTER_SYSCTLS);
        }
        if (place.contains("-node")) {
            return concat(SYSCTLS, NO_IPV6, NODE_SYSCTLS);
        }
        return concat(SYSCTLS, place.equals("core") ? NO_IPV6 : STATIC_IPV6);
    }

    @SafeVarargs
    private static List<String> concat(List<String>... parts) {
        return Stream.of(parts).flatMap(List::stream).toList();
    }

    private void core() {
        bridge("core", "mgmt", shape.coreAddress() + "/24");
        bridge("core", "backbone", null);
        if (shape.network() != 0) {
            String name = shape.prefix() + "mgmt";
            links.append("link add ")
                    .append(name)
                    .append(" type veth peer name launcher netns ")
                    .append(shape.namespace("core"))
                    .append('\n');
            line("core", "link set launcher master mgmt up");
            outside.append("ip addr add ")
                    .append(shape.launcherAddress())
                    .append("/24 dev ")
                    .append(name)
                    .append("\nip link set ")
                    .append(name)
                    .append(" up\n");
        }
    }

    private void pop(PopPlan pop) {
        String router = pop.router();
        String members = pop.members();
        bridge(router, "lan", pop.routerLanAddress() + "/24");
        bridge(router, "ctl", pop.routerControlAddress() + "/24");
        bridge(router, "clients", pop.clientsGateway() + "/26");
        bridge(members, "members", pop.membersGateway() + "/24");

        port("core", "mgmt" + pop.number(), "mgmt", router, "mgmt0");
        address(router, "mgmt0", shape.managementAddress(pop) + "/24");
        port("core", "bb" + pop.number(), "backbone", router, "bb0");
        address(router, "bb0", pop.backboneAddress() + "/24");
        line("core", "route add " + pop.aggregate() + " via " + shape.managementAddress(pop));

        port(router, "lan-m", "lan", members, "lan0");
        address(members, "lan0", pop.membersLanAddress() + "/24");
        also(router, "lan", pop.routerLanAddressV6() + "/64");
        also(router, "clients", pop.clientsGatewayV6() + "/64");
        also(router, "bb0", pop.backboneAddressV6() + "/64");
        also(members, "members", pop.membersGatewayV6() + "/64");
        also(members, "lan0", pop.membersLanAddressV6() + "/64");
        directReplies(pop);

        port(router, "ctl-m", "ctl", members, "ctl0");
        address(members, "ctl0", pop.membersControlAddress() + "/24");

        for (NodePlan node : shape.nodes(pop.number())) {
            port(router, "lan-n" + node.number(), "lan", node.name(), "data0");
            line(node.name(), "link set data0 up");
            port(router, "ctl-n" + node.number(), "ctl", node.name(), "ctl0");
            address(node.name(), "ctl0", node.controlAddress() + "/24");
            line(node.name(), "route add default via " + pop.routerControlAddress());
        }
        for (BackendPlan backend : shape.backends(pop.number())) {
            port(members, "b" + backend.number(), "members", backend.name(), "eth0");
            address(backend.name(), "eth0", backend.address() + "/24");
            line(backend.name(), "route add default via " + pop.membersGateway());
            also(backend.name(), "eth0", backend.addressV6() + "/64");
            line(backend.name(), "route add default via " + pop.membersGatewayV6());
        }
        ClientPlan client = shape.clients().get(pop.number() - 1);
        port(router, "c1", "clients", client.name(), "eth0");
        address(client.name(), "eth0", client.address() + "/26");
        line(client.name(), "route add default via " + pop.clientsGateway());
        also(client.name(), "eth0", client.addressV6() + "/64");
        line(client.name(), "route add default via " + pop.clientsGatewayV6());
    }

    // Members of dsr and tunnel pools answer clients from the VIP; the default route leads to the engines, which must
    // not see these answers.
    private void directReplies(PopPlan pop) {
        line(pop.members(), "route add default via " + pop.routerLanAddress() + " table " + DIRECT_TABLE);
        line(pop.members(), "route add default via " + pop.routerLanAddressV6() + " table " + DIRECT_TABLE);
        for (String pool : Shape.VIP_POOLS) {
            outside.append("ip -n ")
                    .append(shape.namespace(pop.members()))
                    .append(pool.contains(":") ? " -6" : " -4")
                    .append(" rule add from ")
                    .append(pool)
                    .append(" lookup ")
                    .append(DIRECT_TABLE)
                    .append('\n');
        }
    }

    private void also(String place, String link, String address) {
        line(place, "addr add " + address + " dev " + link);
    }

    private void bridge(String place, String name, @Nullable String address) {
        line(place, "link add " + name + " type bridge mcast_snooping 0");
        if (address != null) {
            line(place, "addr add " + address + " dev " + name);
        }
        line(place, "link set " + name + " up");
    }

    private void port(String place, String name, String bridge, String otherPlace, String otherName) {
        links.append("link add ")
                .append(name)
                .append(" netns ")
                .append(shape.namespace(place))
                .append(" type veth peer name ")
                .append(otherName)
                .append(" netns ")
                .append(shape.namespace(otherPlace))
                .append('\n');
        line(place, "link set " + name + " master " + bridge + " up");
    }

    private void address(String place, String link, String address) {
        line(place, "addr add " + address + " dev " + link);
        line(place, "link set " + link + " up");
    }

    private void offloadsOff(StringBuilder script, String place) {
        script.append("ip netns exec ").append(shape.namespace(place)).append(" ethtool -K eth0 tx off >/dev/null\n");
    }

    private void line(String place, String command) {
        StringBuilder commands = inside.get(place);
        if (commands == null) {
            throw new IllegalStateException("no place " + place);
        }
        commands.append(command).append('\n');
    }
}
