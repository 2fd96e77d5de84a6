// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.access;

import dev.weir.api.web.ProblemCode;
import dev.weir.api.web.Refusals;
import dev.weir.api.web.Trace;
import dev.weir.db.audit.AuditLog;
import dev.weir.db.audit.AuditedCall;
import dev.weir.db.session.Sessions;
import io.micrometer.core.instrument.MeterRegistry;
import jakarta.servlet.http.HttpServletRequest;
import java.net.URI;
import java.util.EnumSet;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.http.ResponseEntity;
import org.springframework.stereotype.Component;
import org.springframework.web.context.request.RequestAttributes;
import org.springframework.web.context.request.RequestContextHolder;
import org.springframework.web.method.HandlerMethod;
import org.springframework.web.servlet.HandlerMapping;

/**
 * Writes to the audit log. What was allowed is written in the call's own transaction, so that there is no change without
 * its entry; what was refused in a transaction of its own, since the call's was rolled back.
 */
@Component
final class AuditTrail implements Refusals {
    private static final Logger log = LoggerFactory.getLogger(AuditTrail.class);
    private static final String PROJECT = AuditTrail.class.getName() + ".project";
    /** Of reads, only refusals of access are worth a row; malformed parameters are not. */
    private static final Set<ProblemCode> OF_READS =
            EnumSet.of(ProblemCode.FORBIDDEN, ProblemCode.TENANT_SUSPENDED, ProblemCode.NOT_FOUND);

    private final AuditLog audit;
    private final Sessions sessions;
    private final MeterRegistry meters;

    AuditTrail(AuditLog audit, Sessions sessions, MeterRegistry meters) {
        this.audit = audit;
        this.sessions = sessions;
        this.meters = meters;
    }

    /** Remembers the project that the current request may see: a refusal from here on is that project's. */
    static void entered(UUID projectId) {
        RequestContextHolder.currentRequestAttributes()
                .setAttribute(PROJECT, projectId, RequestAttributes.SCOPE_REQUEST);
    }

    /**
     * @param projectId null: the fleet's
     * @param result what the call answers
     */
    void allowed(@Nullable UUID projectId, Caller caller, String action, @Nullable Object result) {
        // Rows that still wait in the persistence context are part of what is written down.
        sessions.flush();
        URI location =
                result instanceof ResponseEntity<?> answer ? answer.getHeaders().getLocation() : null;
        URI about = location == null ? URI.create(Trace.path()) : location;
        audit.allowed(projectId, call(caller, action, Trace.resource(about)));
    }

    private static AuditedCall call(Caller caller, String action, @Nullable String resource) {
        return new AuditedCall(
                caller.subject(),
                caller.name(),
                action,
                resource,
                Trace.path(),
                Trace.sourceAddress(),
                Trace.requestId());
    }

    @Override
    public void refused(ProblemCode code, HttpServletRequest request) {
        meters.counter("weir.api.refusals", "code", code.name()).increment();
        boolean read = request.getMethod().equals("GET") || request.getMethod().equals("HEAD");
        boolean worthARow = read ? OF_READS.contains(code) : code.status().is4xxClientError();
        if (worthARow
                && request.getAttribute(HandlerMapping.BEST_MATCHING_HANDLER_ATTRIBUTE)
                        instanceof HandlerMethod operation) {
            Caller.current()
                    .ifPresent(caller -> write(caller, operation.getMethod().getName(), code, request));
        }
    }

    private void write(Caller caller, String action, ProblemCode code, HttpServletRequest request) {
        try {
            sessions.write(caller.ownSession(), () -> {
                UUID project = (UUID) request.getAttribute(PROJECT);
                if (project != null) {
                    sessions.enterProject(project);
                }
                audit.refused(project, call(caller, action, Trace.resource(URI.create(Trace.path()))), code.name());
                return code;
            });
        } catch (RuntimeException e) {
            // The refusal stands all the same.
            log.atError()
                    .setCause(e)
                    .addKeyValue("action", action)
                    .addKeyValue("subject", caller.subject())
                    .addKeyValue("code", code)
                    .log("Refusal not written to the audit log");
        }
    }
}
