// SPDX-License-Identifier: Apache-2.0
package dev.weir.db.project;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.data.domain.Limit;
import org.springframework.data.jpa.repository.Query;
import org.springframework.data.repository.Repository;

public interface ServiceAccountRepository extends Repository<ServiceAccount, UUID> {
    ServiceAccount save(ServiceAccount account);

    Optional<ServiceAccount> findByProjectIdAndId(UUID projectId, UUID id);

    /** Also those that are being created, in all projects that the session may see. */
    @Query("select s.clientId from ServiceAccount s")
    Set<String> clientIds();

    @Query("from ServiceAccount s where s.state = 'creating' and s.createdAt < :before")
    List<ServiceAccount> creatingSince(Instant before);

    void delete(ServiceAccount account);

    @Query("""
            from ServiceAccount s where s.projectId = :projectId and s.id > :after
            and s.state = 'active' and (:name is null or s.name = :name) order by s.id""")
    List<ServiceAccount> page(UUID projectId, UUID after, @Nullable String name, Limit limit);
}
