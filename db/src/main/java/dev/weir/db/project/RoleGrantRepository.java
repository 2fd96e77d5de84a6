// SPDX-License-Identifier: Apache-2.0
package dev.weir.db.project;

import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.springframework.data.domain.Limit;
import org.springframework.data.jpa.repository.Query;
import org.springframework.data.repository.Repository;

public interface RoleGrantRepository extends Repository<RoleGrant, UUID> {
    RoleGrant save(RoleGrant grant);

    Optional<RoleGrant> findByProjectIdAndId(UUID projectId, UUID id);

    Optional<RoleGrant> findByProjectIdAndSubject(UUID projectId, String subject);

    void delete(RoleGrant grant);

    @Query("from RoleGrant g where g.projectId = :projectId and g.id > :after order by g.id")
    List<RoleGrant> page(UUID projectId, UUID after, Limit limit);
}
