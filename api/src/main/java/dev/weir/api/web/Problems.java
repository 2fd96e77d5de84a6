// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.web;

import dev.weir.rest.v1.model.Problem;
import dev.weir.rest.v1.model.ProblemError;
import java.util.List;
import java.util.Locale;
import org.springframework.http.HttpHeaders;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;

/** Problems as answers. */
public final class Problems {
    /** Seconds after which a call that met an absent server is worth another try. */
    public static final int RETRY_AFTER_S = 2;

    private Problems() {}

    public static Problem body(ProblemCode code, String detail, String path, List<FieldFault> faults) {
        Problem problem = new Problem()
                .type("https://weir.dev/problems/" + code.name().toLowerCase(Locale.ROOT))
                .title(code.title())
                .status(code.status().value())
                .detail(detail)
                .instance(path)
                .code(code.name());
        if (!faults.isEmpty()) {
            problem.errors(faults.stream()
                    .map(fault -> new ProblemError()
                            .pointer(fault.pointer())
                            .code(fault.code())
                            .detail(fault.detail()))
                    .toList());
        }
        return problem;
    }

    static ResponseEntity<Object> answer(ProblemCode code, String detail, String path, List<FieldFault> faults) {
        ResponseEntity.BodyBuilder answer =
                ResponseEntity.status(code.status()).contentType(MediaType.APPLICATION_PROBLEM_JSON);
        if (code.status().is5xxServerError() && code != ProblemCode.INTERNAL) {
            answer.header(HttpHeaders.RETRY_AFTER, Integer.toString(RETRY_AFTER_S));
        }
        return answer.body(body(code, detail, path, faults));
    }
}
