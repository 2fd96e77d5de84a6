// SPDX-License-Identifier: Apache-2.0
package dev.weir.db.pop;

import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.Table;
import java.time.Instant;
import java.util.Map;
import java.util.UUID;
import org.hibernate.annotations.JdbcTypeCode;
import org.hibernate.type.SqlTypes;
import org.jspecify.annotations.Nullable;

/** A site that announces VIPs. */
@Entity
@Table(name = "pops")
public class Pop {
    @Id
    private UUID id;

    private String name;

    @JdbcTypeCode(SqlTypes.JSON)
    private Map<String, String> labels;

    private @Nullable Double latitude;
    private @Nullable Double longitude;
    private boolean drained;
    private long generation;
    private Instant createdAt;
    private Instant updatedAt;
    private @Nullable Instant deletedAt;

    @SuppressWarnings("NullAway.Init")
    protected Pop() {}

    public Pop(
            UUID id,
            String name,
            Map<String, String> labels,
            @Nullable Double latitude,
            @Nullable Double longitude,
            Instant now) {
        this.id = id;
        this.name = name;
        this.labels = labels;
        this.latitude = latitude;
        this.longitude = longitude;
        this.generation = 1;
        this.createdAt = now;
        this.updatedAt = now;
    }

    public void update(
            String newName,
            Map<String, String> newLabels,
            @Nullable Double newLatitude,
            @Nullable Double newLongitude,
            boolean nowDrained,
            Instant now) {
        name = newName;
        labels = newLabels;
        latitude = newLatitude;
        longitude = newLongitude;
        drained = nowDrained;
        generation++;
        updatedAt = now;
    }

    public void delete(Instant now) {
        deletedAt = now;
        generation++;
        updatedAt = now;
    }

    public UUID id() {
        return id;
    }

    public String name() {
        return name;
    }

    public Map<String, String> labels() {
        return labels;
    }

    public @Nullable Double latitude() {
        return latitude;
    }

    public @Nullable Double longitude() {
        return longitude;
    }

    public boolean drained() {
        return drained;
    }

    public long generation() {
        return generation;
    }

    public Instant createdAt() {
        return createdAt;
    }

    public Instant updatedAt() {
        return updatedAt;
    }

    public boolean deleted() {
        return deletedAt != null;
    }
}
