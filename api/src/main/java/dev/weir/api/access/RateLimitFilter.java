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
import org.springframework.security.web.util.matcher.RequestMatcher;
import org.springframework.web.filter.OncePerRequestFilter;
import tools.jackson.databind.json.JsonMapper;

/** Answers 429 to a credential that calls too often, and tells each how much is left. */
final class RateLimitFilter extends OncePerRequestFilter {
    private final RateLimits limits;
    private final RequestMatcher openToNodes;
    private final RateLimits nodeLimits;
    private final Refusals refusals;
    private final JsonMapper json;

    /**
     * @param openToNodes requests without an access token that are limited all the same
     * @param nodeLimits of each address that makes such requests
     */
    RateLimitFilter(
            RateLimits limits, RequestMatcher openToNodes, RateLimits nodeLimits, Refusals refusals, JsonMapper json) {
        this.limits = limits;
        this.openToNodes = openToNodes;
        this.nodeLimits = nodeLimits;
        this.refusals = refusals;
        this.json = json;
    }

    @Override
    protected void doFilterInternal(HttpServletRequest request, HttpServletResponse response, FilterChain chain)
            throws ServletException, IOException {
        Optional<Caller> caller = Caller.current();
        if (caller.isPresent()) {
            pass(limits, caller.get().subject(), request, response, chain);
        } else if (openToNodes.matches(request)) {
            pass(nodeLimits, request.getRemoteAddr(), request, response, chain);
        } else {
            chain.doFilter(request, response);
        }
    }

    private void pass(
            RateLimits limits,
            String credential,
            HttpServletRequest request,
            HttpServletResponse response,
            FilterChain chain)
            throws ServletException, IOException {
        RateLimits.Verdict verdict = limits.call(credential);
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
                        "This credential or address has used up its requests; see the header RateLimit-Policy.",
                        request.getRequestURI(),
                        List.of()));
    }
}
