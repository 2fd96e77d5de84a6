// SPDX-License-Identifier: Apache-2.0
package dev.weir.db.loadbalancer;

import jakarta.persistence.LockModeType;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.data.domain.Limit;
import org.springframework.data.jpa.repository.Lock;
import org.springframework.data.jpa.repository.Query;
import org.springframework.data.repository.Repository;

/** Load balancers that are not deleted. */
public interface LoadBalancerRepository extends Repository<LoadBalancer, UUID> {
    LoadBalancer save(LoadBalancer loadBalancer);

    void flush();

    @Query("from LoadBalancer l where l.projectId = :projectId and l.id = :id and l.deletedAt is null")
    Optional<LoadBalancer> find(UUID projectId, UUID id);

    /** Holds other writers of the load balancer off until the transaction ends. */
    @Lock(LockModeType.PESSIMISTIC_WRITE)
    @Query("from LoadBalancer l where l.projectId = :projectId and l.id = :id and l.deletedAt is null")
    Optional<LoadBalancer> lock(UUID projectId, UUID id);

    List<LoadBalancer> findByProjectIdAndIdIn(UUID projectId, Collection<UUID> ids);

    @Lock(LockModeType.PESSIMISTIC_WRITE)
    @Query("from LoadBalancer l where l.projectId = :projectId and l.id = :id and l.deletedAt > :since")
    Optional<LoadBalancer> lockDeleted(UUID projectId, UUID id, Instant since);

    @Query("""
            from LoadBalancer l where l.projectId = :projectId and l.deletedAt > :since and l.id > :after
            and (:name is null or l.name = :name) order by l.id""")
    List<LoadBalancer> deletedPage(UUID projectId, Instant since, UUID after, @Nullable String name, Limit limit);
}
