// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.web;

/**
 * One thing that is wrong with a request.
 *
 * @param pointer JSON Pointer into the body, or {@code query/<name>}
 * @param code upper snake case
 */
public record FieldFault(String pointer, String code, String detail) {

    /** Something that uses what was to be deleted. */
    public static FieldFault user(String kind, String name, String id) {
        return new FieldFault("", "IN_USE", "%s %s (%s) uses it".formatted(kind, name, id));
    }

    /** A reference token of a JSON Pointer. */
    public static String token(String name) {
        return name.replace("~", "~0").replace("/", "~1");
    }
}
