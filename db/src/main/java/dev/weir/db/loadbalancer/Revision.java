// SPDX-License-Identifier: Apache-2.0
package dev.weir.db.loadbalancer;

import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.Table;
import java.time.Instant;
import java.util.UUID;
import org.hibernate.annotations.Immutable;
import org.hibernate.annotations.JdbcTypeCode;
import org.hibernate.type.SqlTypes;
import org.jspecify.annotations.Nullable;

/** One change of a load balancer's tree. */
@Entity
@Immutable
@Table(name = "revisions")
public class Revision {
    @Id
    private UUID id;

    private UUID projectId;
    private UUID loadBalancerId;
    private long generation;

    @JdbcTypeCode(SqlTypes.JSON)
    private String tree;

    private String author;
    private @Nullable String authorName;
    private String source;
    private String summary;
    private @Nullable String traceparent;
    private Instant createdAt;

    @SuppressWarnings("NullAway.Init")
    protected Revision() {}

    /** @param tree as JSON */
    public Revision(
            UUID projectId,
            UUID id,
            UUID loadBalancerId,
            long generation,
            String tree,
            String author,
            @Nullable String authorName,
            String source,
            String summary,
            @Nullable String traceparent,
            Instant createdAt) {
        this.id = id;
        this.projectId = projectId;
        this.loadBalancerId = loadBalancerId;
        this.generation = generation;
        this.tree = tree;
        this.author = author;
        this.authorName = authorName;
        this.source = source;
        this.summary = summary;
        this.traceparent = traceparent;
        this.createdAt = createdAt;
    }

    public UUID id() {
        return id;
    }

    public UUID projectId() {
        return projectId;
    }

    public UUID loadBalancerId() {
        return loadBalancerId;
    }

    public long generation() {
        return generation;
    }

    public String tree() {
        return tree;
    }

    public String author() {
        return author;
    }

    public @Nullable String authorName() {
        return authorName;
    }

    public String source() {
        return source;
    }

    public String summary() {
        return summary;
    }

    public @Nullable String traceparent() {
        return traceparent;
    }

    public Instant createdAt() {
        return createdAt;
    }
}
