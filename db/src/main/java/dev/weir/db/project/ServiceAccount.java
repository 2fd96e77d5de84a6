// SPDX-License-Identifier: Apache-2.0
package dev.weir.db.project;

import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.Table;
import java.time.Instant;
import java.util.UUID;

/** A project's machine client. */
@Entity
@Table(name = "service_accounts")
public class ServiceAccount {
    @Id
    private UUID id;

    private UUID projectId;
    private String name;
    private String role;
    private String clientId;
    private String subject;
    private Instant createdAt;

    @SuppressWarnings("NullAway.Init")
    protected ServiceAccount() {}

    public ServiceAccount(
            UUID projectId,
            UUID id,
            String name,
            ProjectRole role,
            String clientId,
            String subject,
            Instant createdAt) {
        this.id = id;
        this.projectId = projectId;
        this.name = name;
        this.role = role.text();
        this.clientId = clientId;
        this.subject = subject;
        this.createdAt = createdAt;
    }

    public UUID id() {
        return id;
    }

    public UUID projectId() {
        return projectId;
    }

    public String name() {
        return name;
    }

    public ProjectRole role() {
        return ProjectRole.of(role);
    }

    public String clientId() {
        return clientId;
    }

    public String subject() {
        return subject;
    }

    public Instant createdAt() {
        return createdAt;
    }
}
