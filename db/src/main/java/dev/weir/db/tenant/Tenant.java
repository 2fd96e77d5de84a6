// SPDX-License-Identifier: Apache-2.0
package dev.weir.db.tenant;

import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.Table;
import java.time.Instant;
import java.util.UUID;

/** A customer; a Keycloak organization stands behind it. */
@Entity
@Table(name = "tenants")
public class Tenant {
    @Id
    private UUID id;

    private String name;
    private String displayName;
    private UUID organizationId;
    private String state;
    private Instant createdAt;
    private Instant updatedAt;

    @SuppressWarnings("NullAway.Init")
    protected Tenant() {}

    public Tenant(UUID id, String name, String displayName, UUID organizationId, Instant now) {
        this.id = id;
        this.name = name;
        this.displayName = displayName;
        this.organizationId = organizationId;
        this.state = "active";
        this.createdAt = now;
        this.updatedAt = now;
    }

    public UUID id() {
        return id;
    }

    public String name() {
        return name;
    }

    public String displayName() {
        return displayName;
    }

    public UUID organizationId() {
        return organizationId;
    }

    public boolean suspended() {
        return state.equals("suspended");
    }

    /** Its callers may read but not write; what runs goes on. */
    public void suspend(Instant now) {
        state = "suspended";
        updatedAt = now;
    }

    public void resume(Instant now) {
        state = "active";
        updatedAt = now;
    }

    public Instant createdAt() {
        return createdAt;
    }

    public Instant updatedAt() {
        return updatedAt;
    }
}
