// SPDX-License-Identifier: Apache-2.0
package dev.weir.provisioner.publish;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.provisioner.publish.FairQueue.Entry;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class FairQueueTests {
    private static final UUID BIG = new UUID(1, 1);
    private static final UUID SMALL = new UUID(1, 2);

    private final FairQueue queue = new FairQueue();

    private static UUID key(int number) {
        return new UUID(2, number);
    }

    private void offer(UUID project, int from, int to) {
        for (int number = from; number < to; number++) {
            assertThat(queue.offer(new Entry(key(number), project))).isTrue();
        }
    }

    private List<UUID> take(int most) {
        return queue.take(most, key -> true).stream().map(Entry::key).toList();
    }

    @Test
    void projectWithOneKeyDoesNotWaitForOneWithThousands() {
        offer(BIG, 0, 5_000);
        offer(SMALL, 9_000, 9_001);

        assertThat(take(64)).hasSize(64).startsWith(key(0), key(9_000), key(1), key(2));
    }

    @Test
    void projectsShareABatchEvenly() {
        offer(BIG, 0, 1_000);
        offer(SMALL, 1_000, 2_000);

        List<Entry> batch = queue.take(64, key -> true);

        assertThat(batch).filteredOn(entry -> BIG.equals(entry.projectId())).hasSize(32);
        assertThat(batch).filteredOn(entry -> SMALL.equals(entry.projectId())).hasSize(32);
    }

    @Test
    void moreProjectsThanABatchHoldsTakeTurns() {
        for (int project = 0; project < 10; project++) {
            offer(new UUID(3, project), 100 * project, 100 * project + 50);
        }

        List<UUID> three =
                Stream.of(take(4), take(4), take(2)).flatMap(List::stream).toList();

        assertThat(three)
                .containsExactlyInAnyOrderElementsOf(Stream.iterate(0, project -> project + 1)
                        .limit(10)
                        .map(project -> key(100 * project))
                        .toList());
    }

    @Test
    void keyWaitsOnceAndMayComeBack() {
        assertThat(queue.offer(new Entry(key(1), BIG))).isTrue();
        assertThat(queue.offer(new Entry(key(1), BIG))).isFalse();
        assertThat(queue.offer(new Entry(key(1), null))).isFalse();

        assertThat(take(64)).containsExactly(key(1));
        assertThat(queue.isEmpty()).isTrue();
        assertThat(queue.offer(new Entry(key(1), null))).isTrue();
        assertThat(queue.take(64, key -> true)).containsExactly(new Entry(key(1), null));
    }

    @Test
    void keysThatAreNotReadyKeepTheirPlace() {
        offer(BIG, 0, 4);

        assertThat(queue.take(64, key -> !key.equals(key(0)) && !key.equals(key(2))))
                .extracting(Entry::key)
                .containsExactly(key(1), key(3));
        assertThat(queue.isEmpty()).isFalse();
        assertThat(take(64)).containsExactly(key(0), key(2));
    }
}
