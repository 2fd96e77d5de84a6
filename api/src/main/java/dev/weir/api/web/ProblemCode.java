// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.web;

import org.springframework.http.HttpStatus;

/** Every kind of problem that a caller can meet. The names are part of the API. */
public enum ProblemCode {
    INVALID_BODY(HttpStatus.BAD_REQUEST, "The body is invalid"),
    INVALID_PARAMETER(HttpStatus.BAD_REQUEST, "A parameter is invalid"),
    UNAUTHENTICATED(HttpStatus.UNAUTHORIZED, "No valid token"),
    FORBIDDEN(HttpStatus.FORBIDDEN, "The caller's role does not allow this"),
    TENANT_SUSPENDED(HttpStatus.FORBIDDEN, "The tenant is suspended"),
    NOT_FOUND(HttpStatus.NOT_FOUND, "There is no such resource"),
    METHOD_NOT_ALLOWED(HttpStatus.METHOD_NOT_ALLOWED, "The resource does not have this method"),
    NOT_ACCEPTABLE(HttpStatus.NOT_ACCEPTABLE, "The answer cannot have the wanted media type"),
    UNSUPPORTED_MEDIA_TYPE(HttpStatus.UNSUPPORTED_MEDIA_TYPE, "The body must be JSON"),
    BODY_TOO_LARGE(HttpStatus.CONTENT_TOO_LARGE, "The body is too large"),
    NAME_TAKEN(HttpStatus.CONFLICT, "The name is taken"),
    ADDRESS_NOT_AVAILABLE(HttpStatus.CONFLICT, "The address is not available"),
    NETWORK_OVERLAP(HttpStatus.CONFLICT, "The network overlaps with another one"),
    TENANT_IN_USE(HttpStatus.CONFLICT, "The tenant is in use"),
    IDEMPOTENCY_KEY_IN_USE(HttpStatus.CONFLICT, "Another call with the idempotency key still runs"),
    RESOURCE_IN_USE(HttpStatus.CONFLICT, "The resource is in use"),
    QUOTA_EXCEEDED(HttpStatus.CONFLICT, "The project's quota is exceeded"),
    DELETE_PROTECTED(HttpStatus.CONFLICT, "The resource is protected from being deleted"),
    NO_STAGED_ROLLOUT(HttpStatus.CONFLICT, "No staged rollout goes on"),
    PRECONDITION_FAILED(HttpStatus.PRECONDITION_FAILED, "The resource has changed meanwhile"),
    SPEC_REFUSED(HttpStatus.UNPROCESSABLE_CONTENT, "The spec is refused"),
    IDEMPOTENCY_KEY_REUSED(HttpStatus.UNPROCESSABLE_CONTENT, "The idempotency key was used for another call"),
    PRECONDITION_REQUIRED(HttpStatus.PRECONDITION_REQUIRED, "If-Match is missing"),
    RATE_LIMITED(HttpStatus.TOO_MANY_REQUESTS, "Too many requests"),
    DATABASE_UNAVAILABLE(HttpStatus.SERVICE_UNAVAILABLE, "The database is not available"),
    IDENTITY_PROVIDER_UNAVAILABLE(HttpStatus.SERVICE_UNAVAILABLE, "The identity provider is not available"),
    INTERNAL(HttpStatus.INTERNAL_SERVER_ERROR, "An error of the service");

    private final HttpStatus status;
    private final String title;

    ProblemCode(HttpStatus status, String title) {
        this.status = status;
        this.title = title;
    }

    public HttpStatus status() {
        return status;
    }

    public String title() {
        return title;
    }
}
