// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.web;

import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.MDC;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;
import org.springframework.stereotype.Component;
import org.springframework.web.filter.OncePerRequestFilter;

/** Names each request: by the id that the caller sent, or one of its own, and as a span of a W3C trace. */
@Component
@Order(Ordered.HIGHEST_PRECEDENCE)
final class TraceFilter extends OncePerRequestFilter {
    static final String HEADER = "X-Request-Id";

    // What a log line and the audit log can hold without harm.
    private static final Pattern REQUEST_ID = Pattern.compile("[A-Za-z0-9._:/+=-]{1,128}");
    private static final Pattern TRACEPARENT =
            Pattern.compile("[0-9a-f]{2}-(?<trace>[0-9a-f]{32})-(?<span>[0-9a-f]{16})-(?<flags>[0-9a-f]{2})(-.*)?");
    private static final String NO_TRACE = "0".repeat(32);
    private static final String NO_SPAN = "0".repeat(16);

    @Override
    protected void doFilterInternal(HttpServletRequest request, HttpServletResponse response, FilterChain chain)
            throws ServletException, IOException {
        String id = requestId(request.getHeader(HEADER));
        request.setAttribute(Trace.REQUEST_ID, id);
        request.setAttribute(Trace.TRACEPARENT, span(request.getHeader("traceparent")));
        response.setHeader(HEADER, id);
        try (MDC.MDCCloseable logged = MDC.putCloseable("request_id", id)) {
            chain.doFilter(request, response);
        }
    }

    private static String requestId(@Nullable String sent) {
        return sent != null && REQUEST_ID.matcher(sent).matches() ? sent : hex(2);
    }

    /** A span of this service in the caller's trace; a trace of its own where the caller's is absent or malformed. */
    static String span(@Nullable String sent) {
        Matcher caller = TRACEPARENT.matcher(sent == null ? "" : sent);
        boolean usable = caller.matches()
                && !String.valueOf(sent).startsWith("ff")
                && !caller.group("trace").equals(NO_TRACE)
                && !caller.group("span").equals(NO_SPAN);
        return usable
                ? "00-%s-%s-%s".formatted(caller.group("trace"), hex(1), caller.group("flags"))
                : "00-%s-%s-01".formatted(hex(2), hex(1));
    }

    private static String hex(int words) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < words; i++) {
            // Never all zero, which would mean "none".
            text.append("%016x".formatted(ThreadLocalRandom.current().nextLong() | 1));
        }
        return text.toString();
    }
}
