// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.topology;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class ShapeTests {
    private final Shape shape = new Shape("x-", 3, 2, 3, 0);

    @Test
    void everyPlaceHasItsOwnName() {
        assertThat(new Topology(shape).places()).doesNotHaveDuplicates().hasSize(1 + 3 * 2 + 3 * 2 + 3 * 3 + 3);
    }

    @Test
    void noTwoPlacesShareAnAddress() {
        Stream<String> addresses = Stream.of(
                        shape.nodes().stream().flatMap(node -> Stream.of(node.dataAddress(), node.controlAddress())),
                        shape.backends().stream().map(BackendPlan::address),
                        shape.clients().stream().map(ClientPlan::address),
                        shape.popPlans().stream()
                                .flatMap(pop -> Stream.of(
                                        pop.routerLanAddress(),
                                        pop.membersLanAddress(),
                                        pop.routerControlAddress(),
                                        pop.membersControlAddress(),
                                        pop.membersGateway(),
                                        pop.clientsGateway(),
                                        shape.managementAddress(pop),
                                        pop.backboneAddress())))
                .flatMap(all -> all);

        assertThat(addresses).doesNotHaveDuplicates();
    }

    @Test
    void backendsAreNumberedOverAllPops() {
        assertThat(shape.backends(2))
                .containsExactly(new BackendPlan(4, 2), new BackendPlan(5, 2), new BackendPlan(6, 2));
        assertThat(new BackendPlan(4, 2).address()).isEqualTo("10.2.20.14");
    }

    @Test
    void linkNamesFitTheKernel() {
        assertThat(new Shape("abcdefghi-", 1, 1, 1, 200).prefix() + "mgmt").hasSizeLessThanOrEqualTo(15);
        assertThatThrownBy(() -> new Shape("abcdefghij-", 1, 1, 1, 200)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void aShapeThatHasNoAddressesIsRefused() {
        assertThatThrownBy(() -> new Shape("x-", 5, 2, 3, 0)).hasMessageContaining("pops must be 1 to 4");
        assertThatThrownBy(() -> new Shape("x-", 2, 10, 3, 0)).hasMessageContaining("nodes must be 1 to 9");
        assertThatThrownBy(() -> new Shape("x y-", 2, 2, 3, 0)).hasMessageContaining("prefix");
    }
}
