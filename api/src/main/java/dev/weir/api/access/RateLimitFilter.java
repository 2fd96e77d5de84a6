// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.access;

import dev.weir.api.web.ProblemCode;
import dev.weir.api.web.Problems;
import dev.weir.api.web.Refusals;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.springframework.http.HttpHeaders;
import org.springframework.http.MediaType;
import org.springframework.web.filter.OncePerRequestFilter;
import tools.jackson.databind.json.JsonMapper;

/** Answers 429 to a credential that calls too often, and tells each how much is left. */
final class RateLimitFilter extends OncePerRequestFilter {
    private final RateLimits limits;
    private final Refusals refusals;
    private final JsonMapper json;

    RateLimitFilter(RateLimits limits, Refusals refusals, JsonMapper json) {
        this.limits = limits;
        this.refusals = refusals;
        this.json = json;
    }

    @Override
    protected void doFilterInternal(HttpServletRequest request, HttpServletResponse response, FilterChain chain)
            throws ServletException, IOException {
        Optional<Caller> caller = Caller.current();
        if (caller.isEmpty()) {
            chain.doFilter(request, response);
            return;
        }
        RateLimits.Verdict verdict = limits.call(caller.get().subject());
        response.setHeader("RateLimit-Policy", limits.policy());
        response.setHeader("RateLimit", RateLimits.field(verdict));
        if (verdict.allowed()) {
            chain.doFilter(request, response);
            return;
        }
        refusals.refused(ProblemCode.RATE_LIMITED, request);
        response.setStatus(ProblemCode.RATE_LIMITED.status().value());
        response.setHeader(HttpHeaders.RETRY_AFTER, Long.toString(RateLimits.seconds(verdict.retryAfter())));
        response.setContentType(MediaType.APPLICATION_PROBLEM_JSON_VALUE);
        json.writeValue(
                response.getOutputStream(),
                Problems.body(
                        ProblemCode.RATE_LIMITED,
                        "This credential has used up its requests; see the header RateLimit-Policy.",
                        request.getRequestURI(),
                        List.of()));
    }
}
