// SPDX-License-Identifier: Apache-2.0
package dev.weir.db.project;

import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.Table;
import java.time.Instant;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** A subject's role in a project; with {@code serviceAccountId} that of a machine client. */
@Entity
@Table(name = "role_grants")
public class RoleGrant {
    @Id
    private UUID id;

    private UUID projectId;
    private String subject;
    private @Nullable String username;
    private String role;
    private @Nullable UUID serviceAccountId;
    private Instant createdAt;

    @SuppressWarnings("NullAway.Init")
    protected RoleGrant() {}

    public RoleGrant(
            UUID projectId,
            UUID id,
            String subject,
            @Nullable String username,
            ProjectRole role,
            @Nullable UUID serviceAccountId,
            Instant createdAt) {
        this.id = id;
        this.projectId = projectId;
        this.subject = subject;
        this.username = username;
        this.role = role.text();
        this.serviceAccountId = serviceAccountId;
        this.createdAt = createdAt;
    }

    public void changeRole(ProjectRole to) {
        role = to.text();
    }

    public UUID id() {
        return id;
    }

    public UUID projectId() {
        return projectId;
    }

    public String subject() {
        return subject;
    }

    public @Nullable String username() {
        return username;
    }

    public ProjectRole role() {
        return ProjectRole.of(role);
    }

    public @Nullable UUID serviceAccountId() {
        return serviceAccountId;
    }

    public Instant createdAt() {
        return createdAt;
    }
}
