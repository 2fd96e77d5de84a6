// SPDX-License-Identifier: Apache-2.0
package dev.weir.provisioner.enrol;

import dev.weir.provisioner.SqlArrays;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/** Nodes' certificate requests, which the api stores, and what becomes of them. */
@Component
class CertificateStore {
    private static final int AT_ONCE = 32;

    private final JdbcClient jdbc;

    CertificateStore(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    /** @param byToken whether an operator admitted it; otherwise it renews a certificate */
    record Pending(UUID id, UUID nodeId, byte[] request, boolean byToken) {}

    record Waiting(UUID id, UUID nodeId) {}

    /** Oldest first; of nodes that exist. */
    List<Waiting> waiting() {
        return jdbc.sql("""
                        select c.id, c.node_id from node_certificates c join nodes n on n.id = c.node_id
                        where c.state = 'pending' and c.revoked_at is null and n.deleted_at is null
                        order by c.created_at limit ?""")
                .param(AT_ONCE)
                .query((row, n) -> new Waiting(row.getObject(1, UUID.class), row.getObject(2, UUID.class)))
                .list();
    }

    /** Which of these requests' nodes are gone by now. */
    List<UUID> removed(List<Waiting> waiting) {
        return jdbc.sql("select id from nodes where id = any(?::uuid[]) and deleted_at is not null")
                .param(SqlArrays.uuids(waiting.stream().map(Waiting::nodeId).toList()))
                .query((row, n) -> row.getObject(1, UUID.class))
                .list();
    }

    /** Holds others off; empty if another instance was faster, or the node was removed. */
    Optional<Pending> lock(UUID id) {
        return jdbc.sql("""
                        select c.id, c.node_id, c.request, c.proof = 'token'
                        from node_certificates c join nodes n on n.id = c.node_id
                        where c.id = ? and c.state = 'pending' and c.revoked_at is null and n.deleted_at is null
                        for update of c skip locked""")
                .param(id)
                .query((row, n) -> new Pending(
                        row.getObject(1, UUID.class), row.getObject(2, UUID.class), row.getBytes(3), row.getBoolean(4)))
                .optional();
    }

    void refuse(UUID id, String reason) {
        jdbc.sql("update node_certificates set state = 'refused', refusal = ? where id = ?")
                .params(reason, id)
                .update();
    }

    void issue(UUID id, byte[] certificate, byte[] certificateSha256, byte[] authority, Instant expiresAt) {
        jdbc.sql("""
                        update node_certificates
                        set state = 'issued', certificate = ?, certificate_sha256 = ?, authority = ?, expires_at = ?
                        where id = ?""")
                .params(certificate, certificateSha256, authority, Timestamp.from(expiresAt), id)
                .update();
    }

    /** An operator let the node begin anew: what it had may be in other hands. */
    void revokeOthers(UUID nodeId, UUID id) {
        jdbc.sql("""
                        update node_certificates set revoked_at = now()
                        where node_id = ? and id <> ? and revoked_at is null""").params(nodeId, id).update();
    }

    void forgetExpired(UUID nodeId) {
        jdbc.sql("delete from node_certificates where node_id = ? and expires_at < now()")
                .param(nodeId)
                .update();
    }
}
