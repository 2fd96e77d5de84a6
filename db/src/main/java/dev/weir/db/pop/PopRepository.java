// SPDX-License-Identifier: Apache-2.0
package dev.weir.db.pop;

import jakarta.persistence.LockModeType;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.data.domain.Limit;
import org.springframework.data.jpa.repository.Lock;
import org.springframework.data.jpa.repository.Query;
import org.springframework.data.repository.Repository;

public interface PopRepository extends Repository<Pop, UUID> {
    Pop save(Pop pop);

    void flush();

    Optional<Pop> findByIdAndDeletedAtIsNull(UUID id);

    /** Holds other writers of the PoP off until the transaction ends. */
    @Lock(LockModeType.PESSIMISTIC_WRITE)
    @Query("from Pop p where p.id = :id and p.deletedAt is null")
    Optional<Pop> lock(UUID id);

    List<Pop> findByDeletedAtIsNull();

    @Query("""
            from Pop p where p.deletedAt is null and p.id > :after
            and (:name is null or p.name = :name) order by p.id""")
    List<Pop> page(UUID after, @Nullable String name, Limit limit);
}
