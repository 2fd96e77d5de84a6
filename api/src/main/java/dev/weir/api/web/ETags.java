// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.web;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** Strong entity tags made of a spec's version. */
public final class ETags {
    private ETags() {}

    public static String of(long version) {
        return "\"" + version + "\"";
    }

    /** @throws ProblemException if {@code ifMatch} is given and names another version */
    public static void check(@Nullable String ifMatch, long version) {
        check(ifMatch, of(version));
    }

    /**
     * @param current the tag, and others that mean as much
     * @throws ProblemException if {@code ifMatch} is given and names none of them
     */
    public static void check(@Nullable String ifMatch, String... current) {
        if (ifMatch == null || ifMatch.strip().equals("*")) {
            return;
        }
        for (String tag : ifMatch.split(",", -1)) {
            if (List.of(current).contains(tag.strip())) {
                return;
            }
        }
        throw new ProblemException(
                ProblemCode.PRECONDITION_FAILED,
                "The current ETag is %s: read the resource again and repeat the change on top of it."
                        .formatted(current[0]));
    }

    /** @throws ProblemException if {@code ifMatch} is absent or names another version */
    public static void require(@Nullable String ifMatch, long version) {
        if (ifMatch == null) {
            throw new ProblemException(
                    ProblemCode.PRECONDITION_REQUIRED,
                    "Replacing the whole tree needs If-Match with the ETag that the change is based on.");
        }
        check(ifMatch, version);
    }
}
