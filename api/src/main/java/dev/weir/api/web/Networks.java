// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.web;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.util.Optional;
import java.util.regex.Pattern;

/** IPv4 addresses and networks, read strictly: no names, no short forms, no host bits. */
public final class Networks {
    private static final Pattern IPV4 = Pattern.compile("(0|[1-9]\\d{0,2})(\\.(0|[1-9]\\d{0,2})){3}");

    private Networks() {}

    /** An IPv4 network. */
    public record Network(int address, int length) {
        int mask() {
            return length == 0 ? 0 : -1 << (32 - length);
        }

        public boolean contains(Inet4Address other) {
            return (bits(other) & mask()) == address;
        }
    }

    public static Optional<Inet4Address> address(String text) {
        if (!IPV4.matcher(text).matches()) {
            return Optional.empty();
        }
        try {
            return InetAddress.ofLiteral(text) instanceof Inet4Address address
                    ? Optional.of(address)
                    : Optional.empty();
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    /** Empty unless it is a network without host bits, such as 192.0.2.0/24. */
    public static Optional<Network> network(String text) {
        int slash = text.indexOf('/');
        if (slash < 0 || !text.substring(slash + 1).matches("0|[1-9]\\d?")) {
            return Optional.empty();
        }
        int length = Integer.parseInt(text.substring(slash + 1));
        if (length > 32) {
            return Optional.empty();
        }
        return address(text.substring(0, slash))
                .map(address -> new Network(bits(address), length))
                .filter(network -> (network.address & network.mask()) == network.address);
    }

    private static int bits(Inet4Address address) {
        byte[] bytes = address.getAddress();
        return (bytes[0] & 0xff) << 24 | (bytes[1] & 0xff) << 16 | (bytes[2] & 0xff) << 8 | bytes[3] & 0xff;
    }
}
