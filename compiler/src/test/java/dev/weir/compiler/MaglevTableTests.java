// SPDX-License-Identifier: Apache-2.0
package dev.weir.compiler;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.compiler.MaglevTable.Candidate;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class MaglevTableTests {
    /** Surefire runs in the module's folder. */
    private static final Path GOLDEN = Path.of("..", "dataplane-dpdk", "tests", "golden");

    static Stream<Path> goldenFiles() throws IOException {
        try (Stream<Path> files = Files.list(GOLDEN)) {
            return files
                    .filter(file -> file.getFileName().toString().matches("maglev_.*\\.txt"))
                    .sorted()
                    .toList()
                    .stream();
        }
    }

    @ParameterizedTest
    @MethodSource("goldenFiles")
    void tableIsTheEnginesOwn(Path file) throws IOException {
        int size = 0;
        List<Candidate> candidates = new ArrayList<>();
        List<Integer> slots = new ArrayList<>();
        List<String> checks = new ArrayList<>();
        List<String[]> hashes = new ArrayList<>();
        boolean inSlots = false;
        for (String line : Files.readAllLines(file)) {
            String[] words = line.split("#", 2)[0].strip().split("\\s+");
            switch (words[0]) {
                case "" -> {}
                case "size" -> size = Integer.parseInt(words[1]);
                case "member" -> candidates.add(new Candidate(words[1], Integer.parseInt(words[2])));
                case "slots" -> {
                    inSlots = true;
                    addAll(slots, words, 1);
                }
                case "slots_xxh64", "count" -> checks.add(String.join(" ", words));
                case "hash", "hash_source" -> hashes.add(words);
                default -> {
                    assertThat(inSlots).as("unknown line: %s", line).isTrue();
                    addAll(slots, words, 0);
                }
            }
        }

        MaglevTable table = MaglevTable.build(size, candidates);

        assertThat(slots.size() + checks.size()).as("expectations in %s", file).isPositive();
        if (inSlots) {
            assertThat(slotsOf(table)).isEqualTo(slots);
        }
        for (String[] hash : hashes) {
            assertThat("%016x".formatted(selectionHash(hash))).isEqualTo(hash[hash.length - 1]);
        }
        for (String check : checks) {
            assertThat(check(table, check.split(" "))).isEqualTo(check);
        }
    }

    private static void addAll(List<Integer> slots, String[] words, int from) {
        for (int i = from; i < words.length; i++) {
            slots.add(Integer.valueOf(words[i]));
        }
    }

    private static String check(MaglevTable table, String[] words) {
        if (words[0].equals("count")) {
            return "count %s %d".formatted(words[1], Collections.frequency(slotsOf(table), Integer.valueOf(words[1])));
        }
        byte[] bytes = new byte[2 * table.size()];
        for (int i = 0; i < table.size(); i++) {
            bytes[2 * i] = (byte) table.slot(i);
            bytes[2 * i + 1] = (byte) (table.slot(i) >> 8);
        }
        return "slots_xxh64 %016x".formatted(Xxh64.hash(bytes, 0));
    }

    private static long selectionHash(String[] words) {
        long seed = 0x57656972;
        byte[] client = InetAddress.ofLiteral(words[1]).getAddress();
        if (words[0].equals("hash_source")) {
            return Xxh64.hash(client, seed);
        }
        byte[] key = ByteBuffer.allocate(13)
                .put(client)
                .putShort((short) Integer.parseInt(words[2]))
                .put(InetAddress.ofLiteral(words[3]).getAddress())
                .putShort((short) Integer.parseInt(words[4]))
                .put(Byte.parseByte(words[5]))
                .array();
        return Xxh64.hash(key, seed);
    }

    /** Values of the reference implementation. */
    @Test
    void hashIsThePublishedOne() {
        assertThat(Xxh64.hash(new byte[0], 0)).isEqualTo(0xEF46DB3751D8E999L);
        assertThat(Xxh64.hash("a".getBytes(StandardCharsets.US_ASCII), 0)).isEqualTo(0xD24EC4F1A98C6E5BL);
        assertThat(Xxh64.hash("abc".getBytes(StandardCharsets.US_ASCII), 0)).isEqualTo(0x44BC2CF5AD770999L);
        assertThat(Xxh64.hash("Nobody inspects the spammish repetition".getBytes(StandardCharsets.US_ASCII), 0))
                .isEqualTo(0xFBCEA83C8A378BF1L);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 7, 10, 40})
    void slotsOfEqualMembersDifferByAtMostOne(int members) {
        MaglevTable table = MaglevTable.build(4093, equalMembers(members));

        List<Integer> slots = slotsOf(table);
        List<Integer> counts = new ArrayList<>();
        for (int i = 0; i < members; i++) {
            counts.add(Collections.frequency(slots, i));
        }
        assertThat(Collections.max(counts) - Collections.min(counts)).isLessThanOrEqualTo(1);
    }

    @Test
    void sharesFollowWeights() {
        List<Candidate> candidates = List.of(
                new Candidate("mbr_a", 256),
                new Candidate("mbr_b", 128),
                new Candidate("mbr_c", 1),
                new Candidate("mbr_d", 0));

        List<Integer> slots = slotsOf(MaglevTable.build(65521, candidates));

        assertThat(Collections.frequency(slots, 0)).isBetween(43550, 43580);
        assertThat(Collections.frequency(slots, 1)).isBetween(21770, 21790);
        assertThat(Collections.frequency(slots, 2)).isBetween(168, 172);
        assertThat(slots).doesNotContain(3, MaglevTable.EMPTY);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void orderOfMembersDoesNotMatter(long seed) {
        List<Candidate> candidates = equalMembers(20);
        List<Candidate> shuffled = new ArrayList<>(candidates);
        Collections.shuffle(shuffled, new Random(seed));

        MaglevTable table = MaglevTable.build(2039, candidates);
        MaglevTable other = MaglevTable.build(2039, shuffled);

        for (int i = 0; i < table.size(); i++) {
            assertThat(shuffled.get(other.slot(i))).isEqualTo(candidates.get(table.slot(i)));
        }
    }

    @Test
    void fewSlotsMoveWhenOneMemberLeaves() {
        List<Candidate> candidates = equalMembers(20);
        List<Candidate> without = new ArrayList<>(candidates);
        without.set(7, new Candidate(candidates.get(7).id(), 0));

        List<Integer> before = slotsOf(MaglevTable.build(4093, candidates));
        List<Integer> after = slotsOf(MaglevTable.build(4093, without));

        int moved = 0;
        for (int i = 0; i < before.size(); i++) {
            moved += before.get(i) != 7 && !before.get(i).equals(after.get(i)) ? 1 : 0;
        }
        assertThat(moved).isLessThan(before.size() / 10);
    }

    @Test
    void tableWithoutWeightIsEmpty() {
        assertThat(slotsOf(MaglevTable.build(1021, List.of(new Candidate("mbr_a", 0)))))
                .containsOnly(MaglevTable.EMPTY);
    }

    private static List<Candidate> equalMembers(int members) {
        List<Candidate> candidates = new ArrayList<>();
        for (int i = 0; i < members; i++) {
            candidates.add(new Candidate("mbr_%032x".formatted(i), 100));
        }
        return candidates;
    }

    private static List<Integer> slotsOf(MaglevTable table) {
        List<Integer> slots = new ArrayList<>();
        for (int i = 0; i < table.size(); i++) {
            slots.add(table.slot(i));
        }
        return slots;
    }
}
