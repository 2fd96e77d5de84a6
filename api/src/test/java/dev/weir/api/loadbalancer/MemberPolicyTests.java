// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.loadbalancer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.api.web.FieldFault;
import dev.weir.compiler.LoadBalancerTree;
import dev.weir.compiler.LoadBalancerTree.AlgorithmKind;
import dev.weir.compiler.LoadBalancerTree.ForwardingModeKind;
import dev.weir.compiler.LoadBalancerTree.MemberPortKind;
import dev.weir.compiler.LoadBalancerTree.MemberPortSpec;
import dev.weir.compiler.LoadBalancerTree.MemberSpec;
import dev.weir.compiler.LoadBalancerTree.OnUnhealthyKind;
import dev.weir.compiler.LoadBalancerTree.PlacementKind;
import dev.weir.compiler.LoadBalancerTree.PlacementSpec;
import dev.weir.compiler.LoadBalancerTree.PoolSpec;
import dev.weir.compiler.LoadBalancerTree.WhenAllUnhealthyKind;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MemberPolicyTests {
    private static final MemberPolicy POLICY = MemberPolicy.of(
            List.of("10.1.20.0/24", "127.0.0.0/8", "203.0.113.0/24", "2001:db8:20::/48", "fe80::/10"),
            List.of("203.0.113.0/25", "10.1.20.240/28", "2001:db8:20:ff::/64"));

    @ParameterizedTest(name = "{0}: {1}")
    @CsvSource({
        "10.1.20.11,",
        "203.0.113.200,",
        "10.1.21.11, MEMBER_ADDRESS_OUTSIDE_PROJECT",
        "10.1.20.241, MEMBER_ADDRESS_FORBIDDEN",
        "203.0.113.5, MEMBER_ADDRESS_FORBIDDEN",
        "127.0.0.1, MEMBER_ADDRESS_FORBIDDEN",
        "169.254.169.254, MEMBER_ADDRESS_FORBIDDEN",
        "224.0.0.1, MEMBER_ADDRESS_FORBIDDEN",
        "255.255.255.255, MEMBER_ADDRESS_FORBIDDEN",
        "0.0.0.0, MEMBER_ADDRESS_FORBIDDEN",
        "2001:db8:20::11,",
        "2001:db8:21::11, MEMBER_ADDRESS_OUTSIDE_PROJECT",
        "2001:db8:20:ff::1, MEMBER_ADDRESS_FORBIDDEN",
        "::1, MEMBER_ADDRESS_FORBIDDEN",
        "fe80::1, MEMBER_ADDRESS_FORBIDDEN",
        "ff02::1, MEMBER_ADDRESS_FORBIDDEN",
        // No address: the compiler's to say.
        "10.1.20,",
    })
    void membersAreWhereTheProjectMayHaveThem(String address, String code) {
        List<FieldFault> faults = POLICY.faults(tree(address));

        if (code == null) {
            assertThat(faults).isEmpty();
        } else {
            assertThat(faults).extracting(FieldFault::code).containsExactly(code);
            assertThat(faults).extracting(FieldFault::pointer).containsExactly("/pools/0/members/0/address");
        }
    }

    private static LoadBalancerTree tree(String address) {
        UUID id = new UUID(0, 1);
        MemberSpec member =
                new MemberSpec(id, "one", address, new MemberPortSpec(MemberPortKind.KEEP, 0), 100, true, 0, List.of());
        PoolSpec pool = new PoolSpec(
                id,
                "web",
                AlgorithmKind.MAGLEV,
                ForwardingModeKind.SNAT,
                300,
                0,
                WhenAllUnhealthyKind.OPEN,
                OnUnhealthyKind.KEEP,
                1,
                false,
                false,
                null,
                List.of(member),
                null,
                null);
        return new LoadBalancerTree(
                id,
                id,
                id,
                "web",
                null,
                Map.of(),
                true,
                new PlacementSpec(PlacementKind.ALL, List.of(), Map.of()),
                List.of(),
                List.of(pool));
    }
}
