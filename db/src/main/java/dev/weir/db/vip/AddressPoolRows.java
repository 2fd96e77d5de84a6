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
            select a.id, a.name, a.version, a.created_at, array(
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

    /** @param name of the VIP; null: it was released, and its address is still held */
    public record Holder(
            String address, UUID vipId, @Nullable String name) {}

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

    /** Holds off other writers of the pool, and reservations of its addresses; its version. */
    public Optional<Long> lock(UUID id) {
        return jdbc.sql("select version from address_pools where id = ? for update")
                .param(id)
                .query(Long.class)
                .optional();
    }

    /**
     * Who has addresses of a locked pool that are in none of these prefixes, at most 100. Forgets leases that nothing
     * depends on any more.
     *
     * @param prefixes empty: all addresses of the pool
     */
    public List<Holder> holders(UUID id, List<String> prefixes) {
        jdbc.sql("select forget_leases(?)").param(id).query(Long.class).single();
        return jdbc.sql("""
                        select host(l.address) as address, l.vip_id, v.name
                        from address_leases l left join vips v on v.id = l.vip_id and l.quarantined_until is null
                        where l.address_pool_id = ? and not exists (
                            select from unnest(?::cidr[]) kept where l.address <<= kept)
                        order by l.address limit 100""")
                .param(id)
                .param(prefixes.toArray(String[]::new))
                .query((row, n) -> new Holder(
                        row.getString("address"), row.getObject("vip_id", UUID.class), row.getString("name")))
                .list();
    }

    /** Null keeps what is there. */
    public void update(UUID id, @Nullable String name, @Nullable List<String> prefixes) {
        jdbc.sql("update address_pools set name = coalesce(?::text, name), version = version + 1 where id = ?")
                .param(name)
                .param(id)
                .update();
        if (prefixes == null) {
            return;
        }
        String[] wanted = prefixes.toArray(String[]::new);
        jdbc.sql("delete from address_pool_prefixes where address_pool_id = ? and not prefix = any (?::cidr[])")
                .param(id)
                .param(wanted)
                .update();
        jdbc.sql("""
                        insert into address_pool_prefixes (address_pool_id, prefix)
                        select :id, wanted from unnest(:wanted::cidr[]) wanted
                        where not exists (
                            select from address_pool_prefixes p where p.address_pool_id = :id and p.prefix = wanted)""").param("id", id).param("wanted", wanted).update();
    }

    public void delete(UUID id) {
        jdbc.sql("delete from address_pool_prefixes where address_pool_id = ?")
                .param(id)
                .update();
        jdbc.sql("delete from address_pools where id = ?").param(id).update();
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
                row.getLong("version"),
                row.getTimestamp("created_at").toInstant());
    }
}
