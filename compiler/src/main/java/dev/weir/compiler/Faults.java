// SPDX-License-Identifier: Apache-2.0
package dev.weir.compiler;

import java.util.ArrayList;
import java.util.List;

/** Collects faults while a tree is walked; a check never stops at the first one. */
final class Faults {
    private final List<Fault> faults = new ArrayList<>();

    void add(FaultCode code, String pointer, String message) {
        faults.add(new Fault(code, pointer, message));
    }

    void addUnless(boolean fine, FaultCode code, String pointer, String message) {
        if (!fine) {
            add(code, pointer, message);
        }
    }

    void addUnlessWithin(int first, int value, int last, String pointer) {
        addUnless(
                value >= first && value <= last,
                FaultCode.VALUE_OUT_OF_RANGE,
                pointer,
                "must be between %d and %d".formatted(first, last));
    }

    boolean none() {
        return faults.isEmpty();
    }

    List<Fault> list() {
        return List.copyOf(faults);
    }
}
