// SPDX-License-Identifier: Apache-2.0
package dev.weir.db.project;

import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.Table;
import java.time.Instant;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

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
    private @Nullable String subject;
    private String state;
    private Instant createdAt;

    @SuppressWarnings("NullAway.Init")
    protected ServiceAccount() {}

    /** One that is being created: without a client in Keycloak yet, and of no use until {@link #activate}. */
    public ServiceAccount(UUID projectId, UUID id, String name, ProjectRole role, String clientId, Instant createdAt) {
        this.id = id;
        this.projectId = projectId;
        this.name = name;
        this.role = role.text();
        this.clientId = clientId;
        this.state = "creating";
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

    /** @param subject of the tokens that the client gets */
    public void activate(String subject) {
        this.subject = subject;
        this.state = "active";
    }

    public boolean active() {
        return state.equals("active");
    }

    public Instant createdAt() {
        return createdAt;
    }
}
