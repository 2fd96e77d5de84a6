// SPDX-License-Identifier: Apache-2.0
package dev.weir.db.vip;

import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.Table;
import java.net.InetAddress;
import java.time.Instant;
import java.util.UUID;
import org.hibernate.annotations.JdbcTypeCode;
import org.hibernate.type.SqlTypes;

/** An anycast address of a project. */
@Entity
@Table(name = "vips")
public class Vip {
    @Id
    private UUID id;

    private UUID projectId;
    private String name;

    @JdbcTypeCode(SqlTypes.INET)
    private InetAddress address;

    private UUID addressPoolId;
    private long version;
    private Instant createdAt;
    private Instant updatedAt;
    private boolean deleteProtection;

    @SuppressWarnings("NullAway.Init")
    protected Vip() {}

    public Vip(UUID projectId, UUID id, String name, InetAddress address, UUID addressPoolId, Instant now) {
        this.id = id;
        this.projectId = projectId;
        this.name = name;
        this.address = address;
        this.addressPoolId = addressPoolId;
        this.version = 1;
        this.createdAt = now;
        this.updatedAt = now;
    }

    /** One that was released and is taken back, under a new version. */
    public Vip(DeletedVips.DeletedVip deleted, Instant now) {
        this(deleted.projectId(), deleted.id(), deleted.name(), deleted.address(), deleted.addressPoolId(), now);
        this.version = deleted.version() + 1;
        this.createdAt = deleted.createdAt();
    }

    public void rename(String to) {
        name = to;
    }

    public void protect(boolean fromDeletion) {
        deleteProtection = fromDeletion;
    }

    public boolean deleteProtection() {
        return deleteProtection;
    }

    public void changed(Instant now) {
        version++;
        updatedAt = now;
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

    public InetAddress address() {
        return address;
    }

    public UUID addressPoolId() {
        return addressPoolId;
    }

    public long version() {
        return version;
    }

    public Instant createdAt() {
        return createdAt;
    }

    public Instant updatedAt() {
        return updatedAt;
    }
}
