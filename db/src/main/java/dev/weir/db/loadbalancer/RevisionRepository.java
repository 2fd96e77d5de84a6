// SPDX-License-Identifier: Apache-2.0
package dev.weir.db.loadbalancer;

import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.springframework.data.domain.Limit;
import org.springframework.data.jpa.repository.Query;
import org.springframework.data.repository.Repository;

public interface RevisionRepository extends Repository<Revision, UUID> {
    Revision save(Revision revision);

    Optional<Revision> findByProjectIdAndLoadBalancerIdAndId(UUID projectId, UUID loadBalancerId, UUID id);

    List<Revision> findByProjectIdAndIdIn(UUID projectId, Collection<UUID> ids);

    /** Newest first, those before a generation. */
    @Query("""
            from Revision r where r.projectId = :projectId and r.loadBalancerId = :loadBalancerId
            and r.generation < :before order by r.generation desc""")
    List<Revision> page(UUID projectId, UUID loadBalancerId, long before, Limit limit);
}
