// SPDX-License-Identifier: Apache-2.0
package dev.weir.db.project;

import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.data.domain.Limit;
import org.springframework.data.jpa.repository.Query;
import org.springframework.data.repository.Repository;

public interface ServiceAccountRepository extends Repository<ServiceAccount, UUID> {
    ServiceAccount save(ServiceAccount account);

    Optional<ServiceAccount> findByProjectIdAndId(UUID projectId, UUID id);

    Optional<ServiceAccount> findByProjectIdAndName(UUID projectId, String name);

    void delete(ServiceAccount account);

    @Query("""
            from ServiceAccount s where s.projectId = :projectId and s.id > :after
            and (:name is null or s.name = :name) order by s.id""")
    List<ServiceAccount> page(UUID projectId, UUID after, @Nullable String name, Limit limit);
}
