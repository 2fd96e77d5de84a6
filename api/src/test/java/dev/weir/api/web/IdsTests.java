// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.web;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.compiler.ResourceId;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class IdsTests {
    private final Ids ids =
            new Ids(Clock.fixed(Instant.ofEpochMilli(1_700_000_000_000L), ZoneOffset.UTC), new Random(1));

    @Test
    void idsOfOneMillisecondSortByTheirOrder() {
        List<String> made =
                Stream.generate(ids::next).limit(10_000).map(UUID::toString).toList();

        assertThat(made).isSorted().doesNotHaveDuplicates();
        assertThat(UUID.fromString(made.getFirst()).version()).isEqualTo(7);
        assertThat(UUID.fromString(made.getFirst()).variant()).isEqualTo(2);
    }

    @Test
    void whatIsNoIdOfTheKindIsNotFound() {
        String pool = ResourceId.POOL.format(ids.next());

        assertThatThrownBy(() -> Ids.path(ResourceId.VIP, pool))
                .isInstanceOfSatisfying(
                        ProblemException.class, e -> assertThat(e.code()).isEqualTo(ProblemCode.NOT_FOUND));
    }
}
