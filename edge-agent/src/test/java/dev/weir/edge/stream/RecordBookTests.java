// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.stream;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.weir.edge.Records;
import dev.weir.edge.reconcile.DesiredState;
import dev.weir.edge.stream.RecordBook.Change;
import dev.weir.messages.v1.ConfigRecord;
import dev.weir.messages.v1.DeletedRecord;
import dev.weir.messages.v1.LoadBalancerConfig;
import dev.weir.messages.v1.PartitionDigest;
import dev.weir.messages.v1.PopConfig;
import dev.weir.messages.v1.PopsRecord;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class RecordBookTests {
    private final RecordBook book = new RecordBook(Records.NODE, Records.POP);
    private final Sweep sweep = new Sweep();

    private static ConfigRecord web(long sequence) {
        return Records.record(sequence, Records.loadBalancer("lb_1", "203.0.113.10", sequence));
    }

    private static ConfigRecord elsewhere(String id, long sequence) {
        LoadBalancerConfig config = Records.loadBalancer(id, "203.0.113.20", sequence).toBuilder()
                .clearPopIds()
                .addPopIds(Records.OTHER_POP)
                .build();
        return Records.record(sequence, config);
    }

    private static ConfigRecord deleted(long sequence) {
        return ConfigRecord.newBuilder()
                .setEpoch(1)
                .setSequence(sequence)
                .setDeleted(DeletedRecord.getDefaultInstance())
                .build();
    }

    private static ConfigRecord digest(int partition, Object... keysAndSequences) throws Exception {
        MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
        for (int i = 0; i < keysAndSequences.length; i += 2) {
            sha256.update(((String) keysAndSequences[i]).getBytes(StandardCharsets.UTF_8));
            sha256.update((byte) 0);
            sha256.update(ByteBuffer.allocate(16)
                    .putLong(1)
                    .putLong((Integer) keysAndSequences[i + 1])
                    .flip());
        }
        return ConfigRecord.newBuilder()
                .setDigest(PartitionDigest.newBuilder()
                        .setPartition(partition)
                        .setSha256(ByteString.copyFrom(sha256.digest())))
                .build();
    }

    private DesiredState desired() {
        return book.desired(0, config -> new TreeSet<>(), config -> false, false);
    }

    @Test
    void recordsInAnyOrderAndTwiceEndInTheNewest() {
        for (int seed = 0; seed < 20; seed++) {
            RecordBook shuffled = new RecordBook(Records.NODE, Records.POP);
            List<ConfigRecord> records = new ArrayList<>(List.of(web(1), web(2), web(3), web(3), web(2)));
            Collections.shuffle(records, new Random(seed));

            records.forEach(record -> shuffled.offer("lb_1", 0, 0, record));

            assertThat(shuffled.desired(0, config -> new TreeSet<>(), config -> false, false)
                            .loadBalancers()
                            .get("lb_1"))
                    .satisfies(target ->
                            assertThat(target.config().getGeneration()).isEqualTo(3));
        }
    }

    @Test
    void recordPlacedElsewhereIsFilteredAndRemovesWhatRanHere() {
        assertThat(book.offer("lb_2", 0, 0, elsewhere("lb_2", 1))).isEqualTo(Change.FILTERED);

        book.offer("lb_1", 0, 1, web(1));
        assertThat(book.offer("lb_1", 0, 2, elsewhere("lb_1", 2))).isEqualTo(Change.RELEVANT);

        assertThat(desired().loadBalancers()).isEmpty();
        assertThat(desired().removals()).contains("lb_1");
    }

    @Test
    void deletedAndTombstoneBothRemove() {
        book.offer("lb_1", 0, 1, web(1));
        assertThat(book.offer("lb_1", 0, 2, deleted(2))).isEqualTo(Change.RELEVANT);
        assertThat(desired().removals()).containsExactly("lb_1");
        assertThat(book.offer("lb_1", 0, 3, null)).isEqualTo(Change.FILTERED);
        assertThat(desired().removals()).containsExactly("lb_1");

        book.forgetGone(Set.of());
        assertThat(book.keys()).isEmpty();
    }

    @Test
    void drainOfThePopDrainsTheNode() {
        book.offerPops(Records.NODE, Records.nodeRecord(1, Records.node()));
        assertThat(book.node()).satisfies(node -> assertThat(node.drained()).isFalse());

        book.offerPops(
                Records.POP,
                PopsRecord.newBuilder()
                        .setEpoch(1)
                        .setSequence(1)
                        .setPop(PopConfig.newBuilder().setPopId(Records.POP).setDrained(true))
                        .build());

        assertThat(book.node()).satisfies(node -> assertThat(node.drained()).isTrue());
    }

    @Test
    void nodeThatNoLongerExistsCountsAsDrainedUntilItIsMadeAgain() {
        book.offerPops(Records.NODE, Records.nodeRecord(1, Records.node()));

        book.offerPops(
                Records.NODE,
                PopsRecord.newBuilder()
                        .setEpoch(1)
                        .setSequence(2)
                        .setDeleted(true)
                        .build());
        assertThat(book.node()).satisfies(node -> assertThat(node.drained()).isTrue());
        book.offerPops(Records.NODE, null);
        assertThat(book.node()).satisfies(node -> assertThat(node.drained()).isTrue());

        book.offerPops(Records.NODE, Records.nodeRecord(3, Records.node()));
        assertThat(book.node()).satisfies(node -> assertThat(node.drained()).isFalse());
    }

    @Test
    void nothingIsSweptBeforeTheDigestAgrees() throws Exception {
        int partition = Sweep.partition("lb_1");
        book.offer("lb_1", partition, 1, web(1));
        book.restartReading();
        assertThat(sweep.run(book, Set.of("lb_1"), true)).isFalse();

        book.offer("digest/" + partition, partition, 2, digest(partition, "lb_9", 4));

        assertThat(sweep.run(book, Set.of("lb_1"), true)).isFalse();
        assertThat(desired().loadBalancers()).containsOnlyKeys("lb_1");
    }

    @Test
    void sweepOfMoreThanATenthIsHeldUntilAnOperatorAllowsIt() throws Exception {
        int partition = Sweep.partition("lb_1");
        book.offer("lb_1", partition, 1, web(1));
        book.restartReading();
        book.offer("digest/" + partition, partition, 2, digest(partition));

        assertThat(sweep.run(book, Set.of("lb_1"), false)).isFalse();
        assertThat(sweep.held()).isTrue();
        assertThat(desired().loadBalancers()).containsOnlyKeys("lb_1");

        assertThat(sweep.run(book, Set.of("lb_1"), true)).isTrue();
        assertThat(desired().removals()).containsExactly("lb_1");
    }

    @Test
    void ghostAmongManyIsSweptAndWhatWasReadAgainStays() throws Exception {
        Set<String> running = new TreeSet<>(Set.of("lb_ghost"));
        List<Object> live = new ArrayList<>();
        int partition = Sweep.partition("lb_ghost");
        book.offer("lb_ghost", partition, 1, Records.record(1, Records.loadBalancer("lb_ghost", "203.0.113.9", 1)));
        book.restartReading();
        for (int i = 10; i < 30; i++) {
            String id = "lb_" + i;
            running.add(id);
            live.add(id);
            live.add(1);
            // The digest counts the partition that the records came in.
            book.offer(id, partition, i, Records.record(1, Records.loadBalancer(id, "203.0.113." + i, 1)));
        }
        book.offer("digest/" + partition, partition, 40, digest(partition, live.toArray()));

        assertThat(sweep.run(book, running, false)).isTrue();

        assertThat(desired().removals()).containsExactly("lb_ghost");
        assertThat(desired().loadBalancers()).hasSize(20);
    }

    @Test
    void loadBalancerThatOnlyTheEngineKnowsIsSweptOnceItsPartitionAgrees() throws Exception {
        Set<String> running = new TreeSet<>(Set.of("lb_unknown"));
        for (int i = 0; i < 20; i++) {
            running.add("lb_" + i);
            book.offer("lb_" + i, 99, i, Records.record(1, Records.loadBalancer("lb_" + i, "203.0.113.9", 1)));
        }
        int partition = Sweep.partition("lb_unknown");

        assertThat(sweep.run(book, running, false)).isFalse();
        book.offer("digest/" + partition, partition, 40, digest(partition));
        assertThat(sweep.run(book, running, false)).isTrue();

        assertThat(desired().removals()).containsExactly("lb_unknown");
    }
}
