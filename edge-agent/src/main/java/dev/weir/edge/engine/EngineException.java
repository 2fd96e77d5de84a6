// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.engine;

import dev.weir.messages.v1.ErrorCode;

/** A request to the engine did not succeed. */
public final class EngineException extends Exception {
    private static final long serialVersionUID = 1L;

    /** What the caller may do about it. */
    public enum Kind {
        /** No connection, a lost one, or no reply in time: reconnect and reconcile. */
        UNAVAILABLE,
        /** The engine answered that it won't; asking again changes nothing. */
        REFUSED
    }

    private final Kind kind;

    private EngineException(Kind kind, String message, Throwable cause) {
        super(message, cause);
        this.kind = kind;
    }

    private EngineException(Kind kind, String message) {
        super(message);
        this.kind = kind;
    }

    public static EngineException unavailable(String message) {
        return new EngineException(Kind.UNAVAILABLE, message);
    }

    public static EngineException unavailable(String message, Throwable cause) {
        return new EngineException(Kind.UNAVAILABLE, message, cause);
    }

    public static EngineException refused(ErrorCode code, String message) {
        return new EngineException(Kind.REFUSED, code + ": " + message);
    }

    public Kind kind() {
        return kind;
    }
}
