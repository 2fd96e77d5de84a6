// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.prefixlist;

import dev.weir.api.web.FieldFault;
import dev.weir.api.web.Networks;
import dev.weir.api.web.Networks.Network;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;

/**
 * CIDRs as a list keeps them: sorted by family, address and length, without duplicates.
 *
 * @param sha256 of the entries as nodes get them: family, length, address bytes
 */
@SuppressWarnings("ArrayRecordComponent") // Never compared.
record PackedCidrs(List<String> cidrs, byte[] sha256) {
    private static final Comparator<Network> ORDER = Comparator.<Network>comparingInt(
                    network -> network.address().getAddress().length)
            .thenComparing(network -> network.address().getAddress(), Arrays::compareUnsigned)
            .thenComparingInt(Network::length);

    /** @param faults where what is no CIDR is told */
    static PackedCidrs of(List<String> texts, List<FieldFault> faults) {
        TreeSet<Network> sorted = new TreeSet<>(ORDER);
        for (int i = 0; i < texts.size(); i++) {
            Optional<Network> network = Networks.network(texts.get(i));
            if (network.isEmpty()) {
                faults.add(new FieldFault(
                        "/cidrs/" + i,
                        "CIDR_INVALID",
                        "must be a network without host bits, such as 192.0.2.0/24 or 2001:db8::/32"));
            }
            network.ifPresent(sorted::add);
        }
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            for (Network network : sorted) {
                digest.update((byte) (network.ipv4() ? 4 : 6));
                digest.update((byte) network.length());
                digest.update(network.address().getAddress());
            }
            return new PackedCidrs(
                    sorted.stream()
                            .map(network -> Networks.text(network.address()) + "/" + network.length())
                            .toList(),
                    digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
