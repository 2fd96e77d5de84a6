// SPDX-License-Identifier: Apache-2.0
package dev.weir.compiler;

/**
 * Chooses how many slots a pool's Maglev table has. Another size moves almost every new flow, so there are few sizes, a
 * new pool gets room to double, and a size is kept until it is too small or far too large.
 */
public final class MaglevTableSize {
    /** The largest primes below powers of two. */
    private static final int[] SIZES = {1021, 2039, 4093, 8191, 16381, 32749, 65521, 131071, 262139, 524287};

    /** Slots per member that are never gone below: a member's share is then within 1 % of its due. */
    private static final int SLOTS_PER_MEMBER = 100;

    private static final int FAR_TOO_LARGE = 8;

    /** As many as an engine takes. */
    public static final int MAX_MEMBERS = 4096;

    private MaglevTableSize() {}

    /**
     * @param members of the pool, at most {@link #MAX_MEMBERS}; also disabled ones, so that disabling one resizes nothing
     * @param current the size that the pool has now; 0: none
     * @return a prime greater than 100 times {@code members}
     */
    public static int choose(int members, int current) {
        int roomy = smallestAbove(2 * SLOTS_PER_MEMBER * members);
        boolean large = current > SLOTS_PER_MEMBER * members;
        boolean notFarTooLarge = current <= FAR_TOO_LARGE * roomy;
        return large && notFarTooLarge ? current : roomy;
    }

    private static int smallestAbove(int slots) {
        for (int size : SIZES) {
            if (size > slots) {
                return size;
            }
        }
        return SIZES[SIZES.length - 1];
    }
}
