// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.access;

import dev.weir.db.project.Project;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A call that was let into a project; lives as long as its transaction.
 *
 * @param subject who calls
 * @param name user name or client id, for people to read
 */
public record ProjectAccess(
        Project project, String subject, @Nullable String name) {
    public UUID projectId() {
        return project.id();
    }

    public UUID tenantId() {
        return project.tenantId();
    }
}
