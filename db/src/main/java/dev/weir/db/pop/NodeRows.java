// SPDX-License-Identifier: Apache-2.0
package dev.weir.db.pop;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.PropertyNamingStrategies;
import tools.jackson.databind.json.JsonMapper;

/** Nodes and their SNAT ranges. */
public final class NodeRows {
    private static final String QUERY = """
            select n.id, n.pop_id, n.name, n.drained, host(n.data_address) as data_address, n.data_prefix_length,
                host(n.data_address_v6) as data_address_v6, n.data_prefix_length_v6,
                n.tunnel_source_prefixes::text[] as tunnel_source_prefixes,
                n.routes::text as routes, n.mtu, n.bgp_local_asn, host(n.bgp_router_id) as bgp_router_id,
                n.bgp_peers::text as bgp_peers, n.generation, n.created_at,
                array(select r.range::text from node_snat_ranges r where r.node_id = n.id order by r.range) as snat_ranges
            from nodes n
            where n.deleted_at is null
            """;

    private final JdbcClient jdbc;
    private final JsonMapper json = JsonMapper.builder()
            .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
            .build();

    public NodeRows(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    public Optional<Node> find(UUID popId, UUID id) {
        return jdbc.sql(QUERY + "and n.pop_id = ? and n.id = ?")
                .param(popId)
                .param(id)
                .query((row, n) -> node(row))
                .optional();
    }

    public List<Node> page(UUID popId, UUID after, @Nullable String name, int limit) {
        return jdbc.sql(QUERY + """
                        and n.pop_id = :pop_id and n.id > :after and (:name::text is null or n.name = :name)
                        order by n.id limit :limit""")
                .param("pop_id", popId)
                .param("after", after)
                .param("name", name)
                .param("limit", limit)
                .query((row, n) -> node(row))
                .list();
    }

    public void insert(Node node) {
        jdbc.sql("""
                insert into nodes (id, pop_id, name, drained, data_address, data_prefix_length,
                    data_address_v6, data_prefix_length_v6, tunnel_source_prefixes, routes, mtu,
                    bgp_local_asn, bgp_router_id, bgp_peers, generation, created_at)
                values (?, ?, ?, ?, ?::inet, ?, ?::inet, ?::integer, string_to_array(?, ',')::cidr[], ?::jsonb, ?, ?, ?::inet, ?::jsonb, ?, ?)""")
                .param(node.id())
                .param(node.popId())
                .param(node.name())
                .param(node.drained())
                .param(node.dataAddress())
                .param(node.dataPrefixLength())
                .param(node.dataAddressV6())
                .param(node.dataPrefixLengthV6())
                .param(String.join(",", node.tunnelSourcePrefixes()))
                .param(json.writeValueAsString(node.routes()))
                .param(node.mtu())
                .param(node.bgpLocalAsn())
                .param(node.bgpRouterId())
                .param(json.writeValueAsString(node.bgpPeers()))
                .param(node.generation())
                .param(Timestamp.from(node.createdAt()))
                .update();
        for (String range : node.snatRanges()) {
            jdbc.sql("insert into node_snat_ranges (node_id, range) values (?, ?::cidr)")
                    .param(node.id())
                    .param(range)
                    .update();
        }
    }

    /**
     * Networks of the service itself, as CIDRs: its addresses on the data ports' networks, SNAT, BGP and VIPs. No member
     * may be inside of them. The rest of a data network is not the service's: members of dsr pools live there.
     */
    public List<String> ownNetworks() {
        return jdbc.sql("""
                select network(data_address)::text from nodes where deleted_at is null
                union select network(data_address_v6)::text
                    from nodes where deleted_at is null and data_address_v6 is not null
                union select network((r ->> 'next_hop')::inet)::text
                    from nodes, jsonb_array_elements(routes) r where deleted_at is null
                union select t::text from nodes, unnest(tunnel_source_prefixes) t where deleted_at is null
                union select network(bgp_router_id)::text from nodes where deleted_at is null
                union select network((p ->> 'address')::inet)::text
                    from nodes, jsonb_array_elements(bgp_peers) p where deleted_at is null
                union select range::text from node_snat_ranges
                union select prefix::text from address_pool_prefixes""").query(String.class).list();
    }

    private Node node(ResultSet row) throws SQLException {
        return new Node(
                row.getObject("id", UUID.class),
                row.getObject("pop_id", UUID.class),
                row.getString("name"),
                row.getBoolean("drained"),
                row.getString("data_address"),
                row.getInt("data_prefix_length"),
                row.getString("data_address_v6"),
                row.getObject("data_prefix_length_v6", Integer.class),
                json.readValue(row.getString("routes"), new TypeReference<List<Node.Route>>() {}),
                List.of((String[]) row.getArray("snat_ranges").getArray()),
                List.of((String[]) row.getArray("tunnel_source_prefixes").getArray()),
                row.getLong("bgp_local_asn"),
                row.getString("bgp_router_id"),
                json.readValue(row.getString("bgp_peers"), new TypeReference<List<Node.BgpPeer>>() {}),
                row.getInt("mtu"),
                row.getLong("generation"),
                row.getTimestamp("created_at").toInstant());
    }
}
