// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.announce;

import dev.weir.messages.v1.BgpPeer;
import dev.weir.messages.v1.NodeConfig;
import dev.weir.messages.v1.Prefix;
import java.net.InetAddress;
import java.util.List;
import java.util.Locale;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The text of BIRD's files. Pure. Every export filter rejects while {@code weir_gate_open} is false, a define that
 * only the guard writes; nothing is imported and nothing reaches the kernel.
 */
final class BirdFiles {
    private static final Pattern VIP =
            Pattern.compile("^\troute (\\S+)/(?:32|128) blackhole; # vip$", Pattern.MULTILINE);

    private BirdFiles() {}

    static String birdConf(NodeConfig node) {
        StringBuilder text = new StringBuilder();
        text.append("# Written by the edge agent; changes are overwritten.\n");
        text.append("log stderr all;\n");
        text.append("router id ")
                .append(new Address(
                        node.getBgp().getRouterId().size() == 4 ? node.getBgp().getRouterId() : node.getDataAddress()))
                .append(";\n\n");
        text.append("define weir_data_address = ")
                .append(new Address(node.getDataAddress()))
                .append(";\n");
        if (hasIpv6(node)) {
            text.append("define weir_data_address_v6 = ")
                    .append(new Address(node.getDataAddressV6()))
                    .append(";\n");
        }
        text.append('\n');
        text.append("# The guard's: defines weir_gate_open.\n");
        text.append("include \"gate.conf\";\n");
        text.append("include \"routes.conf\";\n\n");
        text.append("protocol device {\n\tscan time 10;\n}\n\n");
        // A silent router is left after a second; BGP's own hold time stands behind it.
        text.append("protocol bfd {\n\tinterface \"*\" {\n\t\tinterval 200 ms;\n\t\tmultiplier 5;\n\t};\n}\n\n");
        for (Family family : families(node)) {
            exportFilter(text, family, "weir_to_upstream", "weir_vips");
            exportFilter(text, family, "weir_to_member_side", "weir_default");
        }
        int index = 0;
        for (BgpPeer peer : node.getBgp().getPeersList()) {
            index++;
            String filter = switch (peer.getRole()) {
                case BGP_PEER_ROLE_UPSTREAM -> "weir_to_upstream";
                case BGP_PEER_ROLE_MEMBER_SIDE -> "weir_to_member_side";
                case BGP_PEER_ROLE_UNSPECIFIED, UNRECOGNIZED -> "";
            };
            peer(text, node, peer, index, filter);
        }
        return text.toString();
    }

    /** What differs between the families in BIRD's words. */
    private enum Family {
        IPV4("ipv4", "", "0.0.0.0/0", 32),
        IPV6("ipv6", "_v6", "::/0", 128);

        private final String channel;
        private final String suffix;
        private final String everything;
        private final int hostLength;

        Family(String channel, String suffix, String everything, int hostLength) {
            this.channel = channel;
            this.suffix = suffix;
            this.everything = everything;
            this.hostLength = hostLength;
        }

        boolean is(Address address) {
            return address.isIpv4() == (this == IPV4);
        }
    }

    private static boolean hasIpv6(NodeConfig node) {
        return node.getDataAddressV6().size() == 16;
    }

    /** Without an IPv6 address of the data port there is no next hop, and so nothing to say of IPv6. */
    private static List<Family> families(NodeConfig node) {
        return hasIpv6(node) ? List.of(Family.IPV4, Family.IPV6) : List.of(Family.IPV4);
    }

    private static void exportFilter(StringBuilder text, Family family, String name, String protocol) {
        text.append("filter ").append(name).append(family.suffix).append(" {\n");
        text.append("\tif ! weir_gate_open then reject;\n");
        text.append("\tif proto = \"").append(protocol).append(family.suffix);
        text.append("\" || proto = \"weir_snat").append(family.suffix).append("\" then {\n");
        text.append("\t\tbgp_next_hop = weir_data_address").append(family.suffix);
        text.append(";\n\t\taccept;\n\t}\n\treject;\n}\n\n");
    }

    private static void peer(StringBuilder text, NodeConfig node, BgpPeer peer, int index, String filter) {
        // The name is an operator's text; only letters that BIRD takes in a symbol pass.
        String name = peer.getName().toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]", "_");
        text.append("protocol bgp peer").append(index).append('_').append(name).append(" {\n");
        text.append("\tlocal as ")
                .append(Integer.toUnsignedString(node.getBgp().getLocalAsn()))
                .append(";\n");
        text.append("\tneighbor ").append(new Address(peer.getAddress()));
        text.append(" as ").append(Integer.toUnsignedString(peer.getAsn())).append(";\n");
        text.append("\thold time 9;\n\tkeepalive time 3;\n");
        text.append("\tconnect delay time 1;\n\tconnect retry time 2;\n\terror wait time 1, 4;\n");
        text.append("\tgraceful restart off;\n\tbfd on;\n");
        // Both families in one session, whatever the family of its own addresses.
        for (Family family : families(node)) {
            text.append('\t').append(family.channel).append(" {\n");
            if (family == Family.IPV6) {
                // The control port may have no IPv6 address, and BIRD wants some next hop even if the filter sets it.
                text.append("\t\tnext hop address ")
                        .append(new Address(node.getDataAddressV6()))
                        .append(";\n");
            }
            text.append("\t\timport none;\n\t\texport ");
            text.append(filter.isEmpty() ? "none" : "filter " + filter + family.suffix);
            text.append(";\n\t};\n");
        }
        text.append("}\n\n");
    }

    static String routesConf(Announcements announcements) {
        StringBuilder text = new StringBuilder();
        text.append("# Written by the edge agent; changes are overwritten.\n");
        for (Family family : families(announcements.node())) {
            begin(text, "weir_vips", family);
            announcements.vips().stream()
                    .filter(family::is)
                    .forEach(vip -> text.append("\troute ")
                            .append(vip)
                            .append('/')
                            .append(family.hostLength)
                            .append(" blackhole; # vip\n"));
            text.append("}\n\n");
            begin(text, "weir_snat", family);
            for (Prefix range : ownRanges(announcements.node())) {
                Address address = new Address(range.getAddress());
                if (family.is(address)) {
                    text.append("\troute ").append(address).append('/').append(range.getLength());
                    text.append(" blackhole;\n");
                }
            }
            text.append("}\n\n");
            begin(text, "weir_default", family);
            text.append("\troute ").append(family.everything).append(" blackhole;\n}\n");
        }
        return text.toString();
    }

    private static void begin(StringBuilder text, String name, Family family) {
        text.append("protocol static ").append(name).append(family.suffix).append(" {\n\t");
        text.append(family.channel).append(";\n");
    }

    /** What is routed to this node alone: replies to its snat addresses, and errors about its tunnels. */
    private static List<Prefix> ownRanges(NodeConfig node) {
        return Stream.concat(node.getSnatRangesList().stream(), node.getTunnelSourcePrefixesList().stream())
                .distinct()
                .toList();
    }

    /** The reverse of {@link #routesConf}, for an agent that did not write the file itself. */
    static SortedSet<Address> vipsIn(String routesConf) {
        TreeSet<Address> vips = new TreeSet<>();
        Matcher matcher = VIP.matcher(routesConf);
        while (matcher.find()) {
            try {
                vips.add(Address.of(InetAddress.ofLiteral(matcher.group(1))));
            } catch (IllegalArgumentException e) {
                // Not a line of ours; the file is about to be written anew.
                continue;
            }
        }
        return vips;
    }
}
