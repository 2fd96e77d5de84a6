// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.web;

import java.util.List;

/** Ends a call with a problem. */
public final class ProblemException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final ProblemCode code;
    private final transient List<FieldFault> faults;

    public ProblemException(ProblemCode code, String detail) {
        this(code, detail, List.of());
    }

    public ProblemException(ProblemCode code, String detail, List<FieldFault> faults) {
        super(detail);
        this.code = code;
        this.faults = List.copyOf(faults);
    }

    public static ProblemException notFound() {
        return new ProblemException(ProblemCode.NOT_FOUND, "There is no such resource here.");
    }

    /** A well-formed spec that is refused, with every reason. */
    public static ProblemException refused(List<FieldFault> faults) {
        boolean quotaAlone = faults.stream().allMatch(fault -> fault.code().equals(ProblemCode.QUOTA_EXCEEDED.name()));
        return new ProblemException(
                quotaAlone ? ProblemCode.QUOTA_EXCEEDED : ProblemCode.SPEC_REFUSED,
                faults.size() == 1 ? faults.getFirst().detail() : "The spec has %d faults.".formatted(faults.size()),
                faults);
    }

    public ProblemCode code() {
        return code;
    }

    public List<FieldFault> faults() {
        return faults;
    }

    @Override
    public String getMessage() {
        return String.valueOf(super.getMessage());
    }
}
