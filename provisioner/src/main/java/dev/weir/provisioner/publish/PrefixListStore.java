// SPDX-License-Identifier: Apache-2.0
package dev.weir.provisioner.publish;

import dev.weir.provisioner.SqlArrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/** Prefix lists as they are wanted and as they were published. */
@Component
class PrefixListStore {
    /** @param cidrs in the order of their family, address and length; null once the list is deleted */
    record Spec(
            UUID id,
            UUID projectId,
            long generation,
            @Nullable List<String> cidrs) {}

    record Published(
            UUID key,
            int partition,
            long epoch,
            long sequence,
            @Nullable Long logOffset,
            boolean deleted,
            long generation) {}

    private final JdbcClient jdbc;

    PrefixListStore(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    Map<UUID, Spec> wanted(Collection<UUID> ids) {
        Map<UUID, Spec> specs = new HashMap<>();
        jdbc.sql("""
                        select id, project_id, generation, case when deleted_at is null then cidrs::text[] end as cidrs
                        from prefix_lists where id = any(?::uuid[])
                        """).param(SqlArrays.uuids(ids)).query(row -> {
            UUID id = row.getObject("id", UUID.class);
            java.sql.Array cidrs = row.getArray("cidrs");
            specs.put(
                    id,
                    new Spec(
                            id,
                            row.getObject("project_id", UUID.class),
                            row.getLong("generation"),
                            cidrs == null ? null : List.of((String[]) cidrs.getArray())));
        });
        return specs;
    }

    Map<UUID, Published> newest(Collection<UUID> keys) {
        return published("key = any(?::uuid[])", SqlArrays.uuids(keys));
    }

    Collection<Published> ofPartition(int partition) {
        return published("partition = ?", partition).values();
    }

    private Map<UUID, Published> published(String condition, Object param) {
        Map<UUID, Published> lists = new HashMap<>();
        jdbc.sql("""
                        select key, partition, epoch, sequence, log_offset, deleted, generation
                        from published_prefix_lists where %s
                        """.formatted(condition)).param(param).query(row -> {
            UUID key = row.getObject("key", UUID.class);
            lists.put(
                    key,
                    new Published(
                            key,
                            row.getInt("partition"),
                            row.getLong("epoch"),
                            row.getLong("sequence"),
                            row.getObject("log_offset", Long.class),
                            row.getBoolean("deleted"),
                            row.getLong("generation")));
        });
        return lists;
    }

    /** Lists whose newest record is not what they are now. */
    List<UUID> behind() {
        return jdbc.sql("""
                        select l.id from prefix_lists l
                        left join published_prefix_lists p on p.key = l.id
                        where l.deleted_at is null and (p.generation is distinct from l.generation or p.deleted)
                            or l.deleted_at is not null and not p.deleted
                            or p.key is not null and p.log_offset is null
                            or p.epoch < (select epoch from config_epoch)
                        """).query(UUID.class).list();
    }

    void put(Published list) {
        jdbc.sql("""
                        insert into published_prefix_lists (key, partition, epoch, sequence, deleted, generation)
                        values (?, ?, ?, ?, ?, ?)
                        on conflict (key) do update set epoch = excluded.epoch, sequence = excluded.sequence,
                            deleted = excluded.deleted, generation = excluded.generation, log_offset = null
                        """)
                .params(list.key(), list.partition(), list.epoch(), list.sequence(), list.deleted(), list.generation())
                .update();
    }

    void confirm(UUID key, long epoch, long sequence, long offset) {
        jdbc.sql("""
                        update published_prefix_lists
                        set log_offset = ?, published_at = coalesce(published_at, clock_timestamp())
                        where key = ? and epoch = ? and sequence = ?
                        """).params(offset, key, epoch, sequence).update();
    }

    void lost(UUID key) {
        jdbc.sql("update published_prefix_lists set log_offset = null where key = ?")
                .param(key)
                .update();
    }

    void forget(UUID key) {
        jdbc.sql("delete from published_prefix_lists where key = ?").param(key).update();
    }
}
