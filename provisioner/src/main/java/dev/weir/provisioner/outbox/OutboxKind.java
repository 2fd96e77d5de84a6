// SPDX-License-Identifier: Apache-2.0
package dev.weir.provisioner.outbox;

import java.util.Locale;

/** What an outbox row is about. */
public enum OutboxKind {
    LOAD_BALANCER,
    POP,
    NODE,
    PREFIX_LIST;

    String column() {
        return name().toLowerCase(Locale.ROOT);
    }

    static OutboxKind of(String column) {
        return valueOf(column.toUpperCase(Locale.ROOT));
    }
}
