// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.web;

import java.util.function.Supplier;

/**
 * Calls with {@code validate_only}: they do everything that they would do, all checks and constraints with it, and then
 * take it back.
 */
public final class DryRun {
    private DryRun() {}

    /** Runs a call that may end by {@link #end}. */
    @SuppressWarnings("unchecked") // The answer that this very call ended with.
    public static <T> T run(Supplier<T> call) {
        try {
            return call.get();
        } catch (Ended e) {
            return (T) e.answer;
        }
    }

    /** Answers, and rolls the call's transaction back. */
    public static <T> T end(T answer) {
        throw new Ended(answer);
    }

    private static final class Ended extends RuntimeException {
        private static final long serialVersionUID = 1L;

        private final transient Object answer;

        Ended(Object answer) {
            super(null, null, false, false);
            this.answer = answer;
        }
    }
}
