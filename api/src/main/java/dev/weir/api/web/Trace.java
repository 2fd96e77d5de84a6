// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.web;

import jakarta.servlet.http.HttpServletRequest;
import java.net.URI;
import org.jspecify.annotations.Nullable;
import org.springframework.web.context.request.RequestContextHolder;
import org.springframework.web.context.request.ServletRequestAttributes;

/** What the current request says about itself. */
public final class Trace {
    static final String REQUEST_ID = Trace.class.getName() + ".request_id";
    static final String TRACEPARENT = Trace.class.getName() + ".traceparent";

    private Trace() {}

    static HttpServletRequest request() {
        return ((ServletRequestAttributes) RequestContextHolder.currentRequestAttributes()).getRequest();
    }

    /** The W3C trace context of this call: a span of the caller's trace, or of a new one. */
    public static @Nullable String traceparent() {
        return (String) request().getAttribute(TRACEPARENT);
    }

    /** The caller's X-Request-Id, or one that was made for it. */
    public static @Nullable String requestId() {
        return (String) request().getAttribute(REQUEST_ID);
    }

    /** Address of the caller, or of the proxy before this service unless that one is trusted. */
    public static String sourceAddress() {
        return request().getRemoteAddr();
    }

    public static String path() {
        return request().getRequestURI();
    }

    /** The id that a path ends with or passes last; null if it names none. */
    public static @Nullable String resource(URI path) {
        String found = null;
        for (String segment : path.getPath().split("/", -1)) {
            String id = segment.split(":", 2)[0];
            if (id.matches("[a-z]+_[0-9a-f]{32}")) {
                found = id;
            }
        }
        return found;
    }
}
