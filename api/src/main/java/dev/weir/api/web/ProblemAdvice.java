// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.web;

import dev.weir.db.query.QueryFault;
import jakarta.servlet.http.HttpServletRequest;
import java.util.List;
import org.apache.tomcat.util.http.InvalidParameterException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.dao.DataIntegrityViolationException;
import org.springframework.http.ResponseEntity;
import org.springframework.http.converter.HttpMessageNotReadableException;
import org.springframework.web.HttpMediaTypeNotAcceptableException;
import org.springframework.web.HttpMediaTypeNotSupportedException;
import org.springframework.web.HttpRequestMethodNotSupportedException;
import org.springframework.web.bind.ServletRequestBindingException;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.RestControllerAdvice;
import org.springframework.web.method.annotation.MethodArgumentTypeMismatchException;
import org.springframework.web.servlet.NoHandlerFoundException;
import org.springframework.web.servlet.resource.NoResourceFoundException;

/** The one place that turns failures into problems. */
@RestControllerAdvice
final class ProblemAdvice {
    private static final Logger log = LoggerFactory.getLogger(ProblemAdvice.class);

    private final Refusals refusals;

    ProblemAdvice(Refusals refusals) {
        this.refusals = refusals;
    }

    private ResponseEntity<Object> answer(
            ProblemCode code, String detail, HttpServletRequest request, List<FieldFault> faults) {
        refusals.refused(code, request);
        return Problems.answer(code, detail, request.getRequestURI(), faults);
    }

    @ExceptionHandler
    ResponseEntity<Object> problem(ProblemException e, HttpServletRequest request) {
        return answer(e.code(), e.getMessage(), request, e.faults());
    }

    @ExceptionHandler
    ResponseEntity<Object> unreadable(HttpMessageNotReadableException e, HttpServletRequest request) {
        if (e.getCause() instanceof ProblemException problem) {
            return problem(problem, request);
        }
        String detail = "The body is missing, or not what the contract describes.";
        return answer(ProblemCode.INVALID_BODY, detail, request, List.of(new FieldFault("", "INVALID", detail)));
    }

    @ExceptionHandler
    ResponseEntity<Object> query(QueryFault e, HttpServletRequest request) {
        return problem(Pages.invalid(e.parameter(), e.detail()), request);
    }

    @ExceptionHandler
    ResponseEntity<Object> parameter(MethodArgumentTypeMismatchException e, HttpServletRequest request) {
        String detail = "The value does not fit the parameter.";
        return answer(
                ProblemCode.INVALID_PARAMETER,
                detail,
                request,
                List.of(new FieldFault("query/" + e.getName(), "WRONG_TYPE", detail)));
    }

    /** The server cannot read the query: a broken escape, a parameter without a name. */
    @ExceptionHandler
    ResponseEntity<Object> query(InvalidParameterException e, HttpServletRequest request) {
        return answer(ProblemCode.INVALID_PARAMETER, "The query string is malformed.", request, List.of());
    }

    @ExceptionHandler
    ResponseEntity<Object> binding(ServletRequestBindingException e, HttpServletRequest request) {
        return answer(ProblemCode.INVALID_PARAMETER, "A parameter is missing or malformed.", request, List.of());
    }

    @ExceptionHandler({NoHandlerFoundException.class, NoResourceFoundException.class})
    ResponseEntity<Object> nothing(HttpServletRequest request) {
        return answer(ProblemCode.NOT_FOUND, "There is nothing at this path.", request, List.of());
    }

    @ExceptionHandler
    ResponseEntity<Object> method(HttpRequestMethodNotSupportedException e, HttpServletRequest request) {
        ResponseEntity<Object> answer = answer(
                ProblemCode.METHOD_NOT_ALLOWED,
                "Allowed here: %s.".formatted(String.join(", ", supported(e))),
                request,
                List.of());
        return ResponseEntity.status(answer.getStatusCode())
                .headers(answer.getHeaders())
                .header("Allow", String.join(", ", supported(e)))
                .body(answer.getBody());
    }

    private static String[] supported(HttpRequestMethodNotSupportedException e) {
        String[] methods = e.getSupportedMethods();
        return methods == null ? new String[0] : methods;
    }

    @ExceptionHandler
    ResponseEntity<Object> mediaType(HttpMediaTypeNotSupportedException e, HttpServletRequest request) {
        return answer(ProblemCode.UNSUPPORTED_MEDIA_TYPE, "Send the body as application/json.", request, List.of());
    }

    @ExceptionHandler
    ResponseEntity<Object> notAcceptable(HttpMediaTypeNotAcceptableException e, HttpServletRequest request) {
        return answer(ProblemCode.NOT_ACCEPTABLE, "Accept application/json.", request, List.of());
    }

    @ExceptionHandler
    ResponseEntity<Object> integrity(DataIntegrityViolationException e, HttpServletRequest request) {
        return DatabaseFaults.conflict(e).map(found -> problem(found, request)).orElseGet(() -> other(e, request));
    }

    @ExceptionHandler
    ResponseEntity<Object> other(Exception e, HttpServletRequest request) {
        if (DatabaseFaults.unavailable(e)) {
            log.atWarn()
                    .addKeyValue("path", request.getRequestURI())
                    .addKeyValue("cause", e.toString())
                    .log("Database not available");
            return answer(
                    ProblemCode.DATABASE_UNAVAILABLE,
                    "Try again shortly; traffic is not affected.",
                    request,
                    List.of());
        }
        log.atError()
                .setCause(e)
                .addKeyValue("method", request.getMethod())
                .addKeyValue("path", request.getRequestURI())
                .log("Call failed");
        return answer(ProblemCode.INTERNAL, "The call failed; nothing was changed.", request, List.of());
    }
}
