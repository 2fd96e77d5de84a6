// SPDX-License-Identifier: Apache-2.0
package dev.weir.provisioner.rollout;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.provisioner.rollout.ObservedGeneration.Node;
import dev.weir.provisioner.rollout.ObservedGeneration.Published;
import dev.weir.provisioner.rollout.ObservedGeneration.Refused;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class ObservedGenerationTests {
    private static final UUID POP_1 = UUID.randomUUID();
    private static final UUID POP_2 = UUID.randomUUID();
    private static final UUID NODE_1 = UUID.randomUUID();
    private static final UUID NODE_2 = UUID.randomUUID();
    private static final UUID NODE_3 = UUID.randomUUID();

    /** Generation 1 at offset 10, generation 2 at offset 20. */
    private static final List<Published> TWO = List.of(record(1, 10, 1, POP_1, POP_2), record(2, 20, 2, POP_1, POP_2));

    @Test
    void slowestReachableNodeDecides() {
        assertThat(derive(TWO, List.of(node(NODE_1, POP_1, 21), node(NODE_3, POP_2, 20))))
                .hasValue(1);
        assertThat(derive(TWO, List.of(node(NODE_1, POP_1, 21), node(NODE_3, POP_2, 21))))
                .hasValue(2);
    }

    @Test
    void nodeWhereFlowsDrainIsHeldBackWhateverItsPartitionPassed() {
        Node node = node(NODE_1, POP_1, 31);

        assertThat(derive(TWO, List.of(node.heldAt(20)))).hasValue(1);
        assertThat(derive(TWO, List.of(node.heldAt(Long.MAX_VALUE)))).hasValue(2);
        assertThat(node(NODE_1, POP_1, 11).heldAt(20).position()).isEqualTo(11);
    }

    @Test
    void positionOfTheRecordItselfIsNotPastIt() {
        assertThat(derive(TWO, List.of(node(NODE_1, POP_1, 20)))).hasValue(1);
        assertThat(derive(TWO, List.of(node(NODE_1, POP_1, 10)))).hasValue(0);
    }

    @Test
    void silentNodeIsNotWaitedFor() {
        assertThat(derive(TWO, List.of(node(NODE_1, POP_1, 21), silent(NODE_3, POP_2, 11))))
                .hasValue(2);
    }

    @Test
    void valueStaysWhileNoPlacedNodeIsReachable() {
        assertThat(derive(TWO, List.of(silent(NODE_1, POP_1, 21)))).isEmpty();
        assertThat(derive(List.of(record(1, 10, 1, POP_2)), List.of(node(NODE_1, POP_1, 11))))
                .isEmpty();
    }

    @Test
    void emptyPlacementIsThereAtOnce() {
        assertThat(derive(List.of(record(3, 30, 5)), List.of())).hasValue(5);
    }

    @Test
    void nodeOfAnotherPopDoesNotCount() {
        List<Published> onlyFirst = List.of(record(1, 10, 1, POP_1));

        assertThat(derive(onlyFirst, List.of(node(NODE_1, POP_1, 11), node(NODE_3, POP_2, 0))))
                .hasValue(1);
    }

    @Test
    void generationBeforeHoldsWhileAnotherPopIsAdded() {
        List<Published> grown = List.of(record(1, 10, 1, POP_1), record(2, 20, 2, POP_1, POP_2));

        assertThat(derive(grown, List.of(node(NODE_1, POP_1, 15), node(NODE_3, POP_2, 15))))
                .hasValue(1);
    }

    @Test
    void nodeThatRefusedRunsOnWithTheOldGeneration() {
        List<Node> nodes = List.of(node(NODE_1, POP_1, 21), node(NODE_2, POP_1, 21));

        assertThat(ObservedGeneration.derive(TWO, nodes, List.of(new Refused(NODE_2, 1, 2, 1))))
                .hasValue(1);
        assertThat(ObservedGeneration.derive(TWO.subList(1, 2), nodes, List.of(new Refused(NODE_2, 1, 2, 1))))
                .as("the record before is pruned")
                .hasValue(1);
    }

    @Test
    void refusalOfAnOlderRecordDoesNotStick() {
        assertThat(ObservedGeneration.derive(
                        TWO, List.of(node(NODE_1, POP_1, 21)), List.of(new Refused(NODE_1, 1, 1, 0))))
                .hasValue(2);
    }

    @Test
    void nodeThatReturnsWithAnOldStateLowersTheValue() {
        assertThat(derive(TWO, List.of(node(NODE_1, POP_1, 21), node(NODE_2, POP_1, 5))))
                .hasValue(0);
    }

    private static OptionalLong derive(List<Published> records, List<Node> nodes) {
        return ObservedGeneration.derive(records, nodes, List.of());
    }

    private static Published record(long sequence, long offset, long generation, UUID... pops) {
        return new Published(1, sequence, offset, generation, Set.of(pops), null, Set.of());
    }

    private static Node node(UUID id, UUID pop, long position) {
        return new Node(id, pop, true, position);
    }

    private static Node silent(UUID id, UUID pop, long position) {
        return new Node(id, pop, false, position);
    }

    @Test
    void stagedRecordMeansTheOlderGenerationOutsideOfItsWave() {
        List<Published> staged = List.of(
                record(1, 10, 1, POP_1, POP_2), new Published(1, 2, 20, 2, Set.of(POP_1, POP_2), 1L, Set.of(POP_1)));

        assertThat(derive(staged, List.of(node(NODE_1, POP_1, 21), node(NODE_3, POP_2, 21))))
                .hasValue(1);
        assertThat(derive(staged, List.of(node(NODE_1, POP_1, 21)))).hasValue(2);
    }
}
