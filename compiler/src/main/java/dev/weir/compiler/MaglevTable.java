// SPDX-License-Identifier: Apache-2.0
package dev.weir.compiler;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/**
 * A pool's Maglev table, slot by slot the one that engines build from the same members; the algorithm is written down in
 * {@code dataplane-dpdk/docs/maglev.md}. Source: Eisenbud et al., "Maglev", NSDI 2016, section 3.4, with weights as
 * cumulative turns.
 */
public final class MaglevTable {
    /** A slot without a member: every weight is 0. */
    public static final int EMPTY = -1;

    private static final long SEED_ORDER = 0;
    private static final long SEED_POSITION = 1;
    private static final long SEED_SKIP = 2;

    private final int[] slots;

    private MaglevTable(int[] slots) {
        this.slots = slots;
    }

    /**
     * @param id as in the configuration, with its prefix
     * @param weight effective weight; 0 for a member that takes no new flows
     */
    public record Candidate(String id, int weight) {}

    /** The order of {@code candidates} does not matter to which of them gets a slot. */
    public static MaglevTable build(int size, List<Candidate> candidates) {
        if (size < 2 || size < candidates.size()) {
            throw new IllegalArgumentException("a table of %d slots for %d members".formatted(size, candidates.size()));
        }
        int[] slots = new int[size];
        Arrays.fill(slots, EMPTY);
        List<Turn> turns = new ArrayList<>();
        for (int i = 0; i < candidates.size(); i++) {
            if (candidates.get(i).weight() > 0) {
                turns.add(new Turn(candidates.get(i), i, size));
            }
        }
        turns.sort(Comparator.<Turn>comparingLong(turn -> turn.order + Long.MIN_VALUE)
                .thenComparing(turn -> turn.id, Arrays::compareUnsigned));
        long heaviest = turns.stream().mapToLong(turn -> turn.weight).max().orElse(0);
        int filled = 0;
        for (long round = 1; heaviest > 0 && filled < size; round++) {
            for (int i = 0; i < turns.size() && filled < size; i++) {
                Turn turn = turns.get(i);
                if (round * turn.weight / heaviest > (round - 1) * turn.weight / heaviest) {
                    turn.takeSlot(slots);
                    filled++;
                }
            }
        }
        return new MaglevTable(slots);
    }

    /** One member while the table is filled. */
    private static final class Turn {
        private final byte[] id;
        private final int index;
        private final long weight;
        private final long order;
        private final long skip;
        private long position;

        Turn(Candidate candidate, int index, int size) {
            this.id = candidate.id().getBytes(StandardCharsets.UTF_8);
            this.index = index;
            this.weight = candidate.weight();
            this.order = Xxh64.hash(id, SEED_ORDER);
            this.position = Long.remainderUnsigned(Xxh64.hash(id, SEED_POSITION), size);
            this.skip = Long.remainderUnsigned(Xxh64.hash(id, SEED_SKIP), size - 1) + 1;
        }

        void takeSlot(int[] slots) {
            while (slots[(int) position] != EMPTY) {
                position = (position + skip) % slots.length;
            }
            slots[(int) position] = index;
        }
    }

    public int size() {
        return slots.length;
    }

    /** @return index into the candidates that the table was built from, or {@link #EMPTY} */
    public int slot(int slot) {
        return slots[slot];
    }
}
