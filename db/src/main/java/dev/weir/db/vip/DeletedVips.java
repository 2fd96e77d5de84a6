// SPDX-License-Identifier: Apache-2.0
package dev.weir.db.vip;

import java.net.InetAddress;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;

/** VIPs that were released, for as long as they can be taken back. */
public final class DeletedVips {
    public static final Duration KEPT = Duration.ofHours(72);

    private static final String PAGE = """
            select id, name, host(address) as address, address_pool_id, version, created_at, deleted_at
            from deleted_vips
            where project_id = :project_id and deleted_at > now() - interval '72 hours'
                and id > :after and (:name::text is null or name = :name)
            order by id limit :limit""";

    private final JdbcClient jdbc;

    public DeletedVips(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    public record DeletedVip(
            UUID projectId,
            UUID id,
            String name,
            InetAddress address,
            UUID addressPoolId,
            long version,
            Instant createdAt,
            Instant deletedAt) {}

    public void add(Vip vip) {
        jdbc.sql("""
                insert into deleted_vips (project_id, id, name, address, address_pool_id, version, created_at)
                values (?, ?, ?, ?::inet, ?, ?, ?)""")
                .param(vip.projectId())
                .param(vip.id())
                .param(vip.name())
                .param(vip.address().getHostAddress())
                .param(vip.addressPoolId())
                .param(vip.version())
                .param(Timestamp.from(vip.createdAt()))
                .update();
    }

    /** Takes one out; others that try the same wait until the transaction ends. */
    public Optional<DeletedVip> take(UUID projectId, UUID id) {
        return jdbc.sql("""
                delete from deleted_vips
                where project_id = :project_id and id = :id and deleted_at > now() - interval '72 hours'
                returning id, name, host(address) as address, address_pool_id, version, created_at, deleted_at""")
                .param("project_id", projectId)
                .param("id", id)
                .query((row, n) -> vip(projectId, row))
                .optional();
    }

    public List<DeletedVip> page(UUID projectId, UUID after, @Nullable String name, int limit) {
        return jdbc.sql(PAGE)
                .param("project_id", projectId)
                .param("after", after)
                .param("name", name)
                .param("limit", limit)
                .query((row, n) -> vip(projectId, row))
                .list();
    }

    private static DeletedVip vip(UUID projectId, ResultSet row) throws SQLException {
        return new DeletedVip(
                projectId,
                row.getObject("id", UUID.class),
                row.getString("name"),
                InetAddress.ofLiteral(row.getString("address")),
                row.getObject("address_pool_id", UUID.class),
                row.getLong("version"),
                row.getTimestamp("created_at").toInstant(),
                row.getTimestamp("deleted_at").toInstant());
    }
}
