// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.drain;

import dev.weir.api.web.FieldFault;
import dev.weir.api.web.ProblemException;
import dev.weir.api.web.Times;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** When a drain or shift ends: always at a time, so that one that was forgotten ends too. */
final class Expiry {
    static final Duration MAX = Duration.ofDays(30);

    private Expiry() {}

    /** @throws ProblemException (422) unless exactly one is given and the end lies ahead, at most 30 days */
    static Instant of(@Nullable OffsetDateTime until, @Nullable Integer durationSeconds, Instant now) {
        if ((until == null) == (durationSeconds == null)) {
            throw refused("", "ONE_OF", "Give exactly one of until and duration_s.");
        }
        if (until == null) {
            return Times.stored(now.plusSeconds(java.util.Objects.requireNonNull(durationSeconds)));
        }
        Instant end = Times.stored(until.toInstant());
        if (!end.isAfter(now)) {
            throw refused("/until", "NOT_AHEAD", "This time has passed.");
        }
        if (end.isAfter(now.plus(MAX))) {
            throw refused("/until", "TOO_FAR_AHEAD", "It may be at most 30 days ahead.");
        }
        return end;
    }

    private static ProblemException refused(String pointer, String code, String detail) {
        return ProblemException.refused(List.of(new FieldFault(pointer, code, detail)));
    }
}
