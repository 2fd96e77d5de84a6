// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.scenario;

import java.io.IOException;

/** The API refused a call. */
public final class ApiException extends IOException {
    private static final long serialVersionUID = 1;

    private final int status;

    public ApiException(String call, int status, String body) {
        super(call + " answered " + status + ": " + body);
        this.status = status;
    }

    public int status() {
        return status;
    }
}
