// SPDX-License-Identifier: Apache-2.0
package dev.weir.compiler;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigInteger;
import org.junit.jupiter.api.Test;

class MaglevTableSizeTests {
    @Test
    void sizeIsAPrimeAboveAHundredTimesTheMembers() {
        for (int members = 0; members <= MaglevTableSize.MAX_MEMBERS; members++) {
            int size = MaglevTableSize.choose(members, 0);

            assertThat(size).isGreaterThan(100 * members);
            assertThat(BigInteger.valueOf(size).isProbablePrime(30)).isTrue();
        }
    }

    @Test
    void sizeIsKeptWhilePoolsGrowAndShrinkALittle() {
        int size = MaglevTableSize.choose(10, 0);

        for (int members = 2; members <= 20; members++) {
            assertThat(MaglevTableSize.choose(members, size)).isEqualTo(size);
        }
    }

    @Test
    void sizeGrowsWhenTooSmallAndShrinksWhenFarTooLarge() {
        assertThat(MaglevTableSize.choose(11, 1021)).isEqualTo(4093);
        assertThat(MaglevTableSize.choose(2, 131071)).isEqualTo(1021);
    }

    @Test
    void growingAMemberAtATimeResizesAtMostOncePerDoubling() {
        int size = 0;
        int resizes = 0;
        for (int members = 1; members <= 1024; members++) {
            int next = MaglevTableSize.choose(members, size);
            resizes += next == size ? 0 : 1;
            size = next;
        }

        assertThat(resizes).isLessThanOrEqualTo(6);
    }
}
