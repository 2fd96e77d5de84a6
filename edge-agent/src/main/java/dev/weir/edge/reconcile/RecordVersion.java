// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.reconcile;

import java.util.Comparator;

/** Orders the records of one key: by epoch, then by sequence; generations never order. */
public record RecordVersion(long epoch, long sequence) implements Comparable<RecordVersion> {
    private static final Comparator<RecordVersion> ORDER = Comparator.comparing(
                    RecordVersion::epoch, Long::compareUnsigned)
            .thenComparing(RecordVersion::sequence, Long::compareUnsigned);

    @Override
    public int compareTo(RecordVersion other) {
        return ORDER.compare(this, other);
    }

    public boolean isNewerThan(RecordVersion other) {
        return compareTo(other) > 0;
    }
}
