// SPDX-License-Identifier: Apache-2.0
package dev.weir.db.session;

import java.util.Set;
import java.util.UUID;

/**
 * Whose rights a transaction has.
 *
 * @param subject the token's {@code sub}
 * @param organizationIds organizations that the token names
 */
public record Session(DatabaseRole role, String subject, Set<UUID> organizationIds) {

    /** The database role that a transaction logs in with. */
    public enum DatabaseRole {
        API("weir_api"),
        OPERATOR("weir_operator");

        private final String userName;

        DatabaseRole(String userName) {
            this.userName = userName;
        }

        public String userName() {
            return userName;
        }
    }

    public Session {
        organizationIds = Set.copyOf(organizationIds);
    }
}
