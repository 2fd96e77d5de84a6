// SPDX-License-Identifier: Apache-2.0
package dev.weir.db.vip;

import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.springframework.jdbc.core.simple.JdbcClient;

/** Which VIP is attached to which load balancer. */
public final class VipAttachments {
    private static final String QUERY = """
            select a.vip_id, a.load_balancer_id, host(v.address) as address, a.claim_sequence
            from vip_attachments a join vips v on v.project_id = a.project_id and v.id = a.vip_id
            """;

    private final JdbcClient jdbc;

    public VipAttachments(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    public record Attachment(UUID vipId, UUID loadBalancerId, String address, long claimSequence) {}

    /**
     * Until the transaction ends, no other changes which VIP of the project is attached to what. Taken before any row
     * is locked, so that writers that touch VIPs and load balancers in another order don't wait for each other.
     */
    public void lock(UUID projectId) {
        jdbc.sql("select pg_advisory_xact_lock(hashtextextended(?, 0))")
                .param(projectId.toString())
                .query((row, n) -> "")
                .list();
    }

    public Optional<Attachment> ofVip(UUID projectId, UUID vipId) {
        return jdbc.sql(QUERY + "where a.project_id = ? and a.vip_id = ?")
                .param(projectId)
                .param(vipId)
                .query(Attachment.class)
                .optional();
    }

    public List<Attachment> ofVips(UUID projectId, Collection<UUID> vipIds) {
        return jdbc.sql(QUERY + "where a.project_id = ? and a.vip_id = any (?)")
                .param(projectId)
                .param(vipIds.toArray(UUID[]::new))
                .query(Attachment.class)
                .list();
    }

    public List<Attachment> ofLoadBalancer(UUID projectId, UUID loadBalancerId) {
        return ofLoadBalancers(projectId, List.of(loadBalancerId));
    }

    public List<Attachment> ofLoadBalancers(UUID projectId, Collection<UUID> loadBalancerIds) {
        return jdbc.sql(QUERY + "where a.project_id = ? and a.load_balancer_id = any (?) order by v.address")
                .param(projectId)
                .param(loadBalancerIds.toArray(UUID[]::new))
                .query(Attachment.class)
                .list();
    }

    /** Attaches with a new claim; what the VIP was attached to before loses it. */
    public void attach(UUID projectId, UUID vipId, UUID loadBalancerId) {
        jdbc.sql("""
                insert into vip_attachments (project_id, vip_id, load_balancer_id) values (?, ?, ?)
                on conflict (project_id, vip_id) do update set
                    load_balancer_id = excluded.load_balancer_id,
                    claim_sequence = excluded.claim_sequence,
                    attached_at = excluded.attached_at""").param(projectId).param(vipId).param(loadBalancerId).update();
    }

    public void detach(UUID projectId, UUID vipId) {
        jdbc.sql("delete from vip_attachments where project_id = ? and vip_id = ?")
                .param(projectId)
                .param(vipId)
                .update();
    }

    /**
     * Notes that a load balancer lost an address.
     *
     * @param generation its first without the address
     */
    public void removed(UUID projectId, String address, UUID loadBalancerId, long generation) {
        jdbc.sql("""
                insert into vip_removals (project_id, address, load_balancer_id, generation)
                values (?, ?::inet, ?, ?)
                on conflict (project_id, address, load_balancer_id) do update set
                    generation = excluded.generation, removed_at = now()""")
                .param(projectId)
                .param(address)
                .param(loadBalancerId)
                .param(generation)
                .update();
    }

    public void detachAll(UUID projectId, UUID loadBalancerId) {
        jdbc.sql("delete from vip_attachments where project_id = ? and load_balancer_id = ?")
                .param(projectId)
                .param(loadBalancerId)
                .update();
    }
}
