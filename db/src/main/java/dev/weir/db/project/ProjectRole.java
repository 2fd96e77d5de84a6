// SPDX-License-Identifier: Apache-2.0
package dev.weir.db.project;

import java.util.Locale;

/** What its holder may do in a project; each includes the ones before it. */
public enum ProjectRole {
    VIEWER,
    MAINTAINER,
    EDITOR,
    ADMIN;

    public boolean includes(ProjectRole other) {
        return compareTo(other) >= 0;
    }

    public String text() {
        return name().toLowerCase(Locale.ROOT);
    }

    public static ProjectRole of(String text) {
        return valueOf(text.toUpperCase(Locale.ROOT));
    }
}
