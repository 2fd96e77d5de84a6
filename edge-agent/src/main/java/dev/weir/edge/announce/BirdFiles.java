// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.announce;

import dev.weir.messages.v1.BgpPeer;
import dev.weir.messages.v1.NodeConfig;
import dev.weir.messages.v1.Prefix;
import java.net.InetAddress;
import java.util.Locale;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

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
                .append(";\n\n");
        text.append("# The guard's: defines weir_gate_open.\n");
        text.append("include \"gate.conf\";\n");
        text.append("include \"routes.conf\";\n\n");
        text.append("protocol device {\n\tscan time 10;\n}\n\n");
        // A silent router is left after a second; BGP's own hold time stands behind it.
        text.append("protocol bfd {\n\tinterface \"*\" {\n\t\tinterval 200 ms;\n\t\tmultiplier 5;\n\t};\n}\n\n");
        exportFilter(text, "weir_to_upstream", "weir_vips");
        exportFilter(text, "weir_to_member_side", "weir_default");
        int index = 0;
        for (BgpPeer peer : node.getBgp().getPeersList()) {
            index++;
            String filter = switch (peer.getRole()) {
                case BGP_PEER_ROLE_UPSTREAM -> "weir_to_upstream";
                case BGP_PEER_ROLE_MEMBER_SIDE -> "weir_to_member_side";
                case BGP_PEER_ROLE_UNSPECIFIED, UNRECOGNIZED -> "";
            };
            peer(text, node.getBgp().getLocalAsn(), peer, index, filter);
        }
        return text.toString();
    }

    private static void exportFilter(StringBuilder text, String name, String protocol) {
        text.append("filter ").append(name).append(" {\n");
        text.append("\tif ! weir_gate_open then reject;\n");
        text.append("\tif proto = \"").append(protocol).append("\" || proto = \"weir_snat\" then {\n");
        text.append("\t\tbgp_next_hop = weir_data_address;\n\t\taccept;\n\t}\n\treject;\n}\n\n");
    }

    private static void peer(StringBuilder text, int localAsn, BgpPeer peer, int index, String filter) {
        // The name is an operator's text; only letters that BIRD takes in a symbol pass.
        String name = peer.getName().toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]", "_");
        text.append("protocol bgp peer").append(index).append('_').append(name).append(" {\n");
        text.append("\tlocal as ").append(Integer.toUnsignedString(localAsn)).append(";\n");
        text.append("\tneighbor ").append(new Address(peer.getAddress()));
        text.append(" as ").append(Integer.toUnsignedString(peer.getAsn())).append(";\n");
        text.append("\thold time 9;\n\tkeepalive time 3;\n");
        text.append("\tconnect delay time 1;\n\tconnect retry time 2;\n\terror wait time 1, 4;\n");
        text.append("\tgraceful restart off;\n\tbfd on;\n");
        text.append("\tipv4 {\n\t\timport none;\n\t\texport ");
        text.append(filter.isEmpty() ? "none" : "filter " + filter).append(";\n\t};\n}\n\n");
    }

    static String routesConf(Announcements announcements) {
        StringBuilder text = new StringBuilder();
        text.append("# Written by the edge agent; changes are overwritten.\n");
        text.append("protocol static weir_vips {\n\tipv4;\n");
        for (Address vip : announcements.vips()) {
            if (vip.isIpv4()) {
                text.append("\troute ").append(vip).append("/32 blackhole; # vip\n");
            }
        }
        text.append("}\n\nprotocol static weir_snat {\n\tipv4;\n");
        for (Prefix range : announcements.node().getSnatRangesList()) {
            text.append("\troute ")
                    .append(new Address(range.getAddress()))
                    .append('/')
                    .append(range.getLength());
            text.append(" blackhole;\n");
        }
        text.append("}\n\nprotocol static weir_default {\n\tipv4;\n\troute 0.0.0.0/0 blackhole;\n}\n");
        return text.toString();
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
