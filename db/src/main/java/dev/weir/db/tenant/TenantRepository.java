// SPDX-License-Identifier: Apache-2.0
package dev.weir.db.tenant;

import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.data.domain.Limit;
import org.springframework.data.jpa.repository.Query;
import org.springframework.data.repository.Repository;

public interface TenantRepository extends Repository<Tenant, UUID> {
    Tenant save(Tenant tenant);

    Optional<Tenant> findById(UUID id);

    void delete(Tenant tenant);

    Optional<Tenant> findByOrganizationId(UUID organizationId);

    Optional<Tenant> findByName(String name);

    @Query("from Tenant t where t.id > :after and (:name is null or t.name = :name) order by t.id")
    List<Tenant> page(UUID after, @Nullable String name, Limit limit);
}
