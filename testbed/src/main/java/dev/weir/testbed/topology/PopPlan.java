// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.topology;

/**
 * The names and addresses of one PoP.
 *
 * @param number from 1
 */
public record PopPlan(int number) {
    /** The private AS of every PoP's router. */
    public static final int ROUTER_ASN = 64500;
    /** The private AS of every member-side router. */
    public static final int MEMBERS_ASN = 64520;

    public String name() {
        return "pop" + number;
    }

    public String router() {
        return name() + "-router";
    }

    public String members() {
        return name() + "-members";
    }

    /** The network of the engines' data ports. */
    public String lanPrefix() {
        return "10." + number + ".0.0/24";
    }

    public String routerLanAddress() {
        return "10." + number + ".0.1";
    }

    public String membersLanAddress() {
        return "10." + number + ".0.2";
    }

    public String routerControlAddress() {
        return "10." + number + ".1.1";
    }

    public String membersControlAddress() {
        return "10." + number + ".1.2";
    }

    /** Where the backends live. */
    public String membersPrefix() {
        return "10." + number + ".20.0/24";
    }

    public String membersGateway() {
        return "10." + number + ".20.1";
    }

    /** Everything inside the PoP. */
    public String aggregate() {
        return "10." + number + ".0.0/16";
    }

    public String clientsPrefix() {
        return "192.0.2." + 64 * (number - 1) + "/26";
    }

    public String clientsGateway() {
        return "192.0.2." + (64 * (number - 1) + 1);
    }

    public String backboneAddress() {
        return "10.201.0." + (10 + number);
    }

    public String lanPrefixV6() {
        return network("0") + "/64";
    }

    public String routerLanAddressV6() {
        return network("0") + "1";
    }

    public String membersLanAddressV6() {
        return network("0") + "2";
    }

    public String membersPrefixV6() {
        return network("20") + "/64";
    }

    public String membersGatewayV6() {
        return network("20") + "1";
    }

    public String aggregateV6() {
        return "2001:db8:" + number + "::/48";
    }

    public String clientsPrefixV6() {
        return "2001:db8:c:" + number + "::/64";
    }

    public String clientsGatewayV6() {
        return "2001:db8:c:" + number + "::1";
    }

    public String backboneAddressV6() {
        return "2001:db8:201::" + (10 + number);
    }

    /** One of the PoP's networks of 64 bits, to be continued by a host's number. */
    String network(String subnet) {
        return subnet.equals("0") ? "2001:db8:" + number + "::" : "2001:db8:" + number + ":" + subnet + "::";
    }

    public int nodeAsn() {
        return 64510 + number;
    }
}
