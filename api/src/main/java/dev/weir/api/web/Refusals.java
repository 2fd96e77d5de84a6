// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.web;

import jakarta.servlet.http.HttpServletRequest;

/** Learns of each call that is answered with a problem, before the answer leaves. */
public interface Refusals {
    void refused(ProblemCode code, HttpServletRequest request);
}
