// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.announce;

import com.google.protobuf.ByteString;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;

/** An IPv4 or IPv6 address, ordered by its bytes; IPv4 first. */
public record Address(ByteString bytes) implements Comparable<Address> {
    public Address {
        if (bytes.size() != 4 && bytes.size() != 16) {
            throw new IllegalArgumentException("an address has 4 or 16 bytes, not " + bytes.size());
        }
    }

    public static Address of(InetAddress address) {
        return new Address(ByteString.copyFrom(address.getAddress()));
    }

    public boolean isIpv4() {
        return bytes.size() == 4;
    }

    @Override
    public int compareTo(Address other) {
        int byFamily = Integer.compare(bytes.size(), other.bytes.size());
        return byFamily != 0 ? byFamily : Arrays.compareUnsigned(bytes.toByteArray(), other.bytes.toByteArray());
    }

    /** The usual text form. */
    @Override
    public String toString() {
        try {
            return InetAddress.getByAddress(bytes.toByteArray()).getHostAddress();
        } catch (UnknownHostException e) {
            throw new IllegalStateException(e);
        }
    }
}
