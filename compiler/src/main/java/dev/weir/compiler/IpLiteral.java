// SPDX-License-Identifier: Apache-2.0
package dev.weir.compiler;

import com.google.protobuf.ByteString;
import dev.weir.messages.v1.Prefix;
import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.util.Optional;
import java.util.regex.Pattern;

/** Textual addresses and CIDRs, strictly: no names, no short forms, no scopes, no host bits. */
final class IpLiteral {
    private static final Pattern IPV4 = Pattern.compile("(0|[1-9]\\d{0,2})(\\.(0|[1-9]\\d{0,2})){3}");
    private static final Pattern IPV6 = Pattern.compile("[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*");
    private static final Pattern LENGTH = Pattern.compile("0|[1-9]\\d{0,2}");

    private IpLiteral() {}

    static Optional<InetAddress> address(String text) {
        try {
            if (IPV4.matcher(text).matches()) {
                return Optional.of(Inet4Address.ofLiteral(text));
            }
            if (IPV6.matcher(text).matches()) {
                // Throws nothing for an IPv4-mapped address but turns it into IPv4, which no packet would match.
                InetAddress address = Inet6Address.ofLiteral(text);
                return address instanceof Inet6Address ? Optional.of(address) : Optional.empty();
            }
            return Optional.empty();
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    static Optional<Prefix> cidr(String text) {
        int slash = text.indexOf('/');
        if (slash < 0 || !LENGTH.matcher(text.substring(slash + 1)).matches()) {
            return Optional.empty();
        }
        int length = Integer.parseInt(text.substring(slash + 1));
        return address(text.substring(0, slash))
                .map(InetAddress::getAddress)
                .filter(bytes -> length <= bytes.length * 8 && hostBitsAreZero(bytes, length))
                .map(bytes -> Prefix.newBuilder()
                        .setAddress(ByteString.copyFrom(bytes))
                        .setLength(length)
                        .build());
    }

    private static boolean hostBitsAreZero(byte[] bytes, int length) {
        for (int bit = length; bit < bytes.length * 8; bit++) {
            if ((bytes[bit / 8] >> (7 - bit % 8) & 1) != 0) {
                return false;
            }
        }
        return true;
    }
}
