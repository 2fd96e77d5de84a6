// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.web;

import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.util.Optional;
import java.util.regex.Pattern;

/** Addresses and networks of either family, read strictly: no names, no short forms, no scopes, no host bits. */
public final class Networks {
    private static final Pattern IPV4 = Pattern.compile("(0|[1-9]\\d{0,2})(\\.(0|[1-9]\\d{0,2})){3}");
    private static final Pattern IPV6 = Pattern.compile("[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*");
    private static final Pattern LENGTH = Pattern.compile("0|[1-9]\\d{0,2}");
    private static final int GROUPS = 8;

    private Networks() {}

    /** A network of either family. */
    public record Network(InetAddress address, int length) {
        public boolean ipv4() {
            return address instanceof Inet4Address;
        }

        /** False for an address of the other family. */
        public boolean contains(InetAddress other) {
            byte[] network = address.getAddress();
            byte[] bytes = other.getAddress();
            if (network.length != bytes.length) {
                return false;
            }
            for (int bit = 0; bit < length; bit++) {
                int mask = 0x80 >> (bit % 8);
                if ((network[bit / 8] & mask) != (bytes[bit / 8] & mask)) {
                    return false;
                }
            }
            return true;
        }
    }

    public static Optional<InetAddress> address(String text) {
        try {
            if (IPV4.matcher(text).matches()) {
                return Optional.of(Inet4Address.ofLiteral(text));
            }
            if (IPV6.matcher(text).matches()) {
                // An IPv4-mapped address becomes IPv4 here, which no packet would match.
                InetAddress address = Inet6Address.ofLiteral(text);
                return address instanceof Inet6Address ? Optional.of(address) : Optional.empty();
            }
            return Optional.empty();
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    public static Optional<Inet4Address> ipv4(String text) {
        return address(text).filter(Inet4Address.class::isInstance).map(Inet4Address.class::cast);
    }

    public static Optional<Inet6Address> ipv6(String text) {
        return address(text).filter(Inet6Address.class::isInstance).map(Inet6Address.class::cast);
    }

    /** Empty unless it is a network without host bits, such as 192.0.2.0/24 or 2001:db8::/32. */
    public static Optional<Network> network(String text) {
        int slash = text.indexOf('/');
        if (slash < 0 || !LENGTH.matcher(text.substring(slash + 1)).matches()) {
            return Optional.empty();
        }
        int length = Integer.parseInt(text.substring(slash + 1));
        return address(text.substring(0, slash))
                .filter(address -> length <= address.getAddress().length * 8)
                .map(address -> new Network(address, length))
                .filter(network -> hostBitsAreZero(network.address().getAddress(), length));
    }

    private static boolean hostBitsAreZero(byte[] bytes, int length) {
        for (int bit = length; bit < bytes.length * 8; bit++) {
            if ((bytes[bit / 8] & 0x80 >> (bit % 8)) != 0) {
                return false;
            }
        }
        return true;
    }

    /** The one way to write an address; of IPv6 that of RFC 5952. */
    public static String text(InetAddress address) {
        byte[] bytes = address.getAddress();
        if (bytes.length == 4) {
            return address.getHostAddress();
        }
        int[] groups = new int[GROUPS];
        for (int i = 0; i < GROUPS; i++) {
            groups[i] = (bytes[2 * i] & 0xff) << 8 | bytes[2 * i + 1] & 0xff;
        }
        int zerosAt = -1;
        int zeros = 1;
        for (int i = 0; i < GROUPS; i++) {
            int end = i;
            while (end < GROUPS && groups[end] == 0) {
                end++;
            }
            if (end - i > zeros) {
                zerosAt = i;
                zeros = end - i;
            }
        }
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < GROUPS; i++) {
            if (i == zerosAt) {
                text.append("::");
                i += zeros - 1;
            } else {
                if (!text.isEmpty() && text.charAt(text.length() - 1) != ':') {
                    text.append(':');
                }
                text.append(Integer.toHexString(groups[i]));
            }
        }
        return text.toString();
    }
}
