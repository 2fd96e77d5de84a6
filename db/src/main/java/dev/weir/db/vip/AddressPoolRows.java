// SPDX-License-Identifier: Apache-2.0
package dev.weir.db.vip;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;

/** Address pools and the leases of their addresses. */
public final class AddressPoolRows {
    private static final String QUERY = """
            select a.id, a.name, a.created_at, array(
                select p.prefix::text from address_pool_prefixes p where p.address_pool_id = a.id order by p.prefix)
                as prefixes
            from address_pools a
            """;

    private final JdbcClient jdbc;

    public AddressPoolRows(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    /** An address that a VIP got, and the pool that it came from. */
    public record Lease(String address, UUID addressPoolId) {}

    public Optional<AddressPool> find(UUID id) {
        return jdbc.sql(QUERY + "where a.id = ?")
                .param(id)
                .query((row, n) -> pool(row))
                .optional();
    }

    public List<AddressPool> page(UUID after, @Nullable String name, int limit) {
        return jdbc.sql(QUERY + """
                        where a.id > :after and (:name::text is null or a.name = :name)
                        order by a.id limit :limit""")
                .param("after", after)
                .param("name", name)
                .param("limit", limit)
                .query((row, n) -> pool(row))
                .list();
    }

    public void insert(AddressPool pool) {
        jdbc.sql("insert into address_pools (id, name, created_at) values (?, ?, ?)")
                .param(pool.id())
                .param(pool.name())
                .param(Timestamp.from(pool.createdAt()))
                .update();
        for (String prefix : pool.prefixes()) {
            jdbc.sql("insert into address_pool_prefixes (address_pool_id, prefix) values (?, ?::cidr)")
                    .param(pool.id())
                    .param(prefix)
                    .update();
        }
    }

    /**
     * Leases an address to a VIP of the current project.
     *
     * @param poolId null: any pool
     * @param address null: any free one
     * @param family 4 or 6; null: either
     * @return empty when there is none; nobody learns why
     */
    public Optional<Lease> lease(
            UUID vipId, @Nullable UUID poolId, @Nullable String address, @Nullable Integer family) {
        return jdbc.sql("""
                select host(leased_address) as address, leased_pool_id
                from lease_address(:vip_id, :pool_id::uuid, :address::inet, :family::integer)""")
                .param("vip_id", vipId)
                .param("pool_id", poolId)
                .param("address", address)
                .param("family", family)
                .query((row, n) -> new Lease(row.getString("address"), row.getObject("leased_pool_id", UUID.class)))
                .optional();
    }

    public void release(UUID vipId) {
        jdbc.sql("select release_address(?)").param(vipId).query((row, n) -> "").list();
    }

    private static AddressPool pool(ResultSet row) throws SQLException {
        return new AddressPool(
                row.getObject("id", UUID.class),
                row.getString("name"),
                List.of((String[]) row.getArray("prefixes").getArray()),
                row.getTimestamp("created_at").toInstant());
    }
}
