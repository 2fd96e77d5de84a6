// SPDX-License-Identifier: Apache-2.0
package dev.weir.provisioner.publish;

import dev.weir.compiler.AttachedVip;
import dev.weir.compiler.LoadBalancerTree;
import dev.weir.compiler.PopSite;
import dev.weir.compiler.ResourceId;
import dev.weir.messages.v1.Overlay;
import dev.weir.messages.v1.OverlayEntry;
import dev.weir.provisioner.SqlArrays;
import java.net.InetAddress;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Reads what was asked for. One statement reads one whole spec, so that generation and content belong together. */
@Component
class SpecStore {
    private static final TypeReference<Map<String, String>> LABELS = new TypeReference<>() {};

    /**
     * @param staged changes of its tree reach the PoPs in waves
     * @param tree    its JSON; null once the load balancer is deleted
     * @param overlay its sequence tells it from others; entries that are over may still be in it
     */
    record LoadBalancerSpec(
            UUID id,
            UUID projectId,
            UUID tenantId,
            long generation,
            Instant committedAt,
            UUID revisionId,
            boolean staged,
            @Nullable String tree,
            List<AttachedVip> vips,
            Overlay overlay) {}

    record PopSpec(UUID id, String name, Map<String, String> labels, boolean drained, long generation) {}

    record RouteSpec(String prefix, InetAddress nextHop) {}

    record BgpPeerSpec(String name, InetAddress address, long asn, String role) {}

    record NodeSpec(
            UUID id,
            UUID popId,
            String name,
            boolean drained,
            InetAddress dataAddress,
            int dataPrefixLength,
            @Nullable InetAddress dataAddressV6,
            int dataPrefixLengthV6,
            List<RouteSpec> routes,
            List<String> snatRanges,
            List<String> tunnelSourcePrefixes,
            long bgpLocalAsn,
            InetAddress bgpRouterId,
            List<BgpPeerSpec> bgpPeers,
            int mtu,
            long generation) {}

    private final JdbcClient jdbc;
    private final JsonMapper json;

    SpecStore(JdbcClient jdbc, JsonMapper json) {
        this.jdbc = jdbc;
        this.json = json;
    }

    Map<UUID, LoadBalancerSpec> loadBalancers(Collection<UUID> ids) {
        Map<UUID, LoadBalancerSpec> specs = new HashMap<>();
        jdbc.sql("""
                        select b.id, b.project_id, p.tenant_id, b.generation, b.updated_at,
                            b.revision_id, b.rollout = 'staged' as staged,
                            case when b.deleted_at is null then r.tree::text end as tree,
                            (select jsonb_agg(jsonb_build_object('id', v.id, 'address', host(v.address),
                                    'claim', a.claim_sequence) order by v.id)
                                from vip_attachments a
                                join vips v on v.project_id = a.project_id and v.id = a.vip_id
                                where a.project_id = b.project_id and a.load_balancer_id = b.id)::text as vips,
                            b.overlay_sequence,
                            (select jsonb_agg(jsonb_build_object('member', o.member_id, 'pop', o.pop_id, 'ends_at_us',
                                    (extract(epoch from o.ends_at) * 1000000)::bigint) order by o.member_id, o.pop_id)
                                from overlay_entries o
                                where o.project_id = b.project_id and o.load_balancer_id = b.id)::text as overlay
                        from load_balancers b
                        join projects p on p.id = b.project_id
                        join revisions r on r.project_id = b.project_id and r.id = b.revision_id
                        where b.id = any(?::uuid[])
                        """).param(SqlArrays.uuids(ids)).query(row -> {
            UUID id = row.getObject("id", UUID.class);
            String tree = row.getString("tree");
            specs.put(
                    id,
                    new LoadBalancerSpec(
                            id,
                            row.getObject("project_id", UUID.class),
                            row.getObject("tenant_id", UUID.class),
                            row.getLong("generation"),
                            row.getObject("updated_at", OffsetDateTime.class).toInstant(),
                            row.getObject("revision_id", UUID.class),
                            row.getBoolean("staged"),
                            row.getString("tree"),
                            vips(row.getString("vips")),
                            overlay(row.getLong("overlay_sequence"), row.getString("overlay"))));
        });
        return specs;
    }

    LoadBalancerTree tree(String text) {
        return json.readValue(text, LoadBalancerTree.class);
    }

    private List<AttachedVip> vips(@Nullable String array) {
        List<AttachedVip> vips = new ArrayList<>();
        if (array != null) {
            for (JsonNode vip : json.readTree(array)) {
                vips.add(new AttachedVip(
                        UUID.fromString(vip.get("id").asString()),
                        InetAddress.ofLiteral(vip.get("address").asString()),
                        vip.get("claim").asLong()));
            }
        }
        return vips;
    }

    private Overlay overlay(long sequence, @Nullable String array) {
        Overlay.Builder overlay = Overlay.newBuilder().setSequence(sequence);
        if (array != null) {
            for (JsonNode row : json.readTree(array)) {
                OverlayEntry.Builder entry = OverlayEntry.newBuilder()
                        .setEndsAtUs(row.get("ends_at_us").asLong());
                if (row.get("member").isNull()) {
                    entry.setShiftAwayPopId(
                            ResourceId.POP.format(UUID.fromString(row.get("pop").asString())));
                } else {
                    entry.setDrainMemberId(ResourceId.MEMBER.format(
                            UUID.fromString(row.get("member").asString())));
                }
                overlay.addEntries(entry);
            }
        }
        return overlay.build();
    }

    /** Features are left unknown: nodes themselves refuse by name what they lack, and it shows in the rollout. */
    List<PopSite> popSites() {
        return jdbc.sql("select id, name, labels::text from pops where deleted_at is null")
                .query((row, n) -> new PopSite(
                        row.getObject(1, UUID.class),
                        row.getString(2),
                        json.readValue(row.getString(3), LABELS),
                        Set.of()))
                .list();
    }

    Map<UUID, PopSpec> pops(Collection<UUID> ids) {
        Map<UUID, PopSpec> specs = new HashMap<>();
        jdbc.sql("""
                        select id, name, labels::text as labels, drained, generation from pops
                        where id = any(?::uuid[]) and deleted_at is null
                        """).param(SqlArrays.uuids(ids)).query(row -> {
            UUID id = row.getObject("id", UUID.class);
            specs.put(
                    id,
                    new PopSpec(
                            id,
                            row.getString("name"),
                            json.readValue(row.getString("labels"), LABELS),
                            row.getBoolean("drained"),
                            row.getLong("generation")));
        });
        return specs;
    }

    Map<UUID, NodeSpec> nodes(Collection<UUID> ids) {
        Map<UUID, NodeSpec> specs = new HashMap<>();
        jdbc.sql("""
                        select n.id, n.pop_id, n.name, n.drained, host(n.data_address) as data_address,
                            n.data_prefix_length, host(n.data_address_v6) as data_address_v6,
                            n.data_prefix_length_v6, n.tunnel_source_prefixes::text[] as tunnel_source_prefixes,
                            n.routes::text as routes, n.mtu, n.bgp_local_asn,
                            host(n.bgp_router_id) as bgp_router_id, n.bgp_peers::text as bgp_peers, n.generation,
                            array(select s.range::text from node_snat_ranges s
                                where s.node_id = n.id order by s.range) as snat_ranges
                        from nodes n
                        where n.id = any(?::uuid[]) and n.deleted_at is null
                        """).param(SqlArrays.uuids(ids)).query(row -> {
            specs.put(row.getObject("id", UUID.class), node(row));
        });
        return specs;
    }

    private NodeSpec node(ResultSet row) throws SQLException {
        List<RouteSpec> routes = new ArrayList<>();
        for (JsonNode route : json.readTree(row.getString("routes"))) {
            routes.add(new RouteSpec(
                    route.get("prefix").asString(),
                    InetAddress.ofLiteral(route.get("next_hop").asString())));
        }
        List<BgpPeerSpec> peers = new ArrayList<>();
        for (JsonNode peer : json.readTree(row.getString("bgp_peers"))) {
            peers.add(new BgpPeerSpec(
                    peer.get("name").asString(),
                    InetAddress.ofLiteral(peer.get("address").asString()),
                    peer.get("asn").asLong(),
                    peer.get("role").asString()));
        }
        String v6 = row.getString("data_address_v6");
        return new NodeSpec(
                row.getObject("id", UUID.class),
                row.getObject("pop_id", UUID.class),
                row.getString("name"),
                row.getBoolean("drained"),
                InetAddress.ofLiteral(row.getString("data_address")),
                row.getInt("data_prefix_length"),
                v6 == null ? null : InetAddress.ofLiteral(v6),
                row.getInt("data_prefix_length_v6"),
                routes,
                List.of((String[]) row.getArray("snat_ranges").getArray()),
                List.of((String[]) row.getArray("tunnel_source_prefixes").getArray()),
                row.getLong("bgp_local_asn"),
                InetAddress.ofLiteral(row.getString("bgp_router_id")),
                peers,
                row.getInt("mtu"),
                row.getLong("generation"));
    }

    /**
     * Takes away the drains and shifts that are over and has their load balancers published without them. Nodes have
     * ended them by themselves. A load balancer that is being written is left for the next time.
     */
    int endOverlayEntries() {
        return jdbc.sql("""
                        with due as (
                            select b.project_id, b.id from load_balancers b
                            where (b.project_id, b.id) in (
                                select project_id, load_balancer_id from overlay_entries where ends_at <= now())
                            for update of b skip locked
                        ), ended as (
                            delete from overlay_entries e using due d
                            where e.project_id = d.project_id and e.load_balancer_id = d.id and e.ends_at <= now()
                        ), raised as (
                            update load_balancers b set overlay_sequence = b.overlay_sequence + 1 from due d
                            where b.project_id = d.project_id and b.id = d.id
                            returning b.project_id, b.id, b.generation
                        )
                        insert into outbox (kind, key, project_id, generation)
                        select 'load_balancer', id, project_id, generation from raised
                        """).update();
    }

    /**
     * Load balancers whose newest record is not what they are now, as far as generations and epochs tell. What changed
     * without either (a PoP's labels) comes through the outbox.
     */
    List<UUID> loadBalancersBehind() {
        return jdbc.sql("""
                        select b.id from load_balancers b
                        left join lateral (
                            select r.generation, r.overlay_sequence, r.kind, r.epoch, r.log_offset
                            from published_records r
                            where r.project_id = b.project_id and r.load_balancer_id = b.id
                            order by r.epoch desc, r.sequence desc limit 1
                        ) r on true
                        where b.deleted_at is null
                                and (r.generation is distinct from b.generation or r.kind <> 'config'
                                    or r.overlay_sequence <> b.overlay_sequence)
                            or b.deleted_at is not null and r.kind = 'config'
                            or r.generation is not null and r.log_offset is null
                            or r.epoch < (select epoch from config_epoch)
                        """).query(UUID.class).list();
    }

    /** The same of PoPs and nodes. */
    List<UUID> popsBehind() {
        return jdbc.sql("""
                        select s.id from (
                            select id, generation, deleted_at from pops
                            union all select id, generation, deleted_at from nodes
                        ) s
                        left join published_pops p on p.key = s.id
                        where s.deleted_at is null and (p.generation is distinct from s.generation or p.kind = 'deleted')
                            or s.deleted_at is not null and p.kind <> 'deleted'
                            or p.key is not null and p.log_offset is null
                            or p.epoch < (select epoch from config_epoch)
                        """).query(UUID.class).list();
    }

    List<UUID> liveNodes() {
        return jdbc.sql("select id from nodes where deleted_at is null")
                .query(UUID.class)
                .list();
    }
}
