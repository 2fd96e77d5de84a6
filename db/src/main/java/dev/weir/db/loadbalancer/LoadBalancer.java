// SPDX-License-Identifier: Apache-2.0
package dev.weir.db.loadbalancer;

import dev.weir.compiler.LoadBalancerTree;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.Table;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.hibernate.annotations.JdbcTypeCode;
import org.hibernate.type.SqlTypes;
import org.jspecify.annotations.Nullable;

/** A load balancer's own row; the tree that it means is that of its newest revision. */
@Entity
@Table(name = "load_balancers")
public class LoadBalancer {
    @Id
    private UUID id;

    private UUID projectId;
    private String name;
    private @Nullable String description;

    @JdbcTypeCode(SqlTypes.JSON)
    private Map<String, String> labels;

    private boolean enabled;

    @JdbcTypeCode(SqlTypes.JSON)
    private String placement;

    private long generation;
    private UUID revisionId;
    private Instant createdAt;
    private Instant updatedAt;
    private @Nullable Instant deletedAt;
    private boolean deleteProtection;
    private String rollout;

    @JdbcTypeCode(SqlTypes.ARRAY)
    private UUID[] deletedVipIds = new UUID[0];

    @SuppressWarnings("NullAway.Init")
    protected LoadBalancer() {}

    /** @param placement as JSON */
    public LoadBalancer(LoadBalancerTree tree, String placement, UUID revisionId, Instant now) {
        this.id = tree.loadBalancerId();
        this.projectId = tree.projectId();
        this.name = tree.name();
        this.description = tree.description();
        this.labels = tree.labels();
        this.enabled = tree.enabled();
        this.placement = placement;
        this.generation = 1;
        this.rollout = "immediate";
        this.revisionId = revisionId;
        this.createdAt = now;
        this.updatedAt = now;
    }

    /** Takes over a changed tree under a new generation. */
    public void revise(LoadBalancerTree tree, String newPlacement, UUID newRevisionId, Instant now) {
        name = tree.name();
        description = tree.description();
        labels = tree.labels();
        enabled = tree.enabled();
        placement = newPlacement;
        revisionId = newRevisionId;
        raiseGeneration(now);
    }

    /** For a change outside of the tree, such as a VIP's. */
    public void raiseGeneration(Instant now) {
        generation++;
        updatedAt = now;
    }

    /** @param vipIds that were attached */
    public void delete(Collection<UUID> vipIds, Instant now) {
        raiseGeneration(now);
        deletedAt = now;
        deletedVipIds = vipIds.toArray(UUID[]::new);
    }

    /** Takes it back under a new generation. */
    public void undelete(LoadBalancerTree tree, String newPlacement, UUID newRevisionId, Instant now) {
        deletedAt = null;
        deletedVipIds = new UUID[0];
        revise(tree, newPlacement, newRevisionId, now);
    }

    public void protect(boolean fromDeletion) {
        deleteProtection = fromDeletion;
    }

    /** @param strategy how changes reach the PoPs: {@code immediate} or {@code staged} */
    public void rollOut(String strategy) {
        rollout = strategy;
    }

    public String rollout() {
        return rollout;
    }

    public boolean deleteProtection() {
        return deleteProtection;
    }

    public @Nullable Instant deletedAt() {
        return deletedAt;
    }

    public List<UUID> deletedVipIds() {
        return List.of(deletedVipIds);
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

    public long generation() {
        return generation;
    }

    public UUID revisionId() {
        return revisionId;
    }

    public Instant createdAt() {
        return createdAt;
    }

    public Instant updatedAt() {
        return updatedAt;
    }
}
