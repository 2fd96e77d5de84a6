// SPDX-License-Identifier: Apache-2.0
package dev.weir.db.vip;

import jakarta.persistence.LockModeType;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.springframework.data.jpa.repository.Lock;
import org.springframework.data.jpa.repository.Query;
import org.springframework.data.repository.Repository;

public interface VipRepository extends Repository<Vip, UUID> {
    Vip save(Vip vip);

    void delete(Vip vip);

    void flush();

    List<Vip> findByProjectIdAndIdIn(UUID projectId, Collection<UUID> ids);

    Optional<Vip> findByProjectIdAndId(UUID projectId, UUID id);

    /** Holds other writers of the VIP off until the transaction ends. */
    @Lock(LockModeType.PESSIMISTIC_WRITE)
    @Query("from Vip v where v.projectId = :projectId and v.id = :id")
    Optional<Vip> lock(UUID projectId, UUID id);
}
