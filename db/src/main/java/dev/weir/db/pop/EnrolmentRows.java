// SPDX-License-Identifier: Apache-2.0
package dev.weir.db.pop;

import java.sql.Timestamp;
import java.time.Instant;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;

/** Tokens that admit nodes, and what nodes ask the authority to sign. Nodes that were removed have none of either. */
public final class EnrolmentRows {
    private final JdbcClient jdbc;

    public EnrolmentRows(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    /** @param requestSha256 of the only request that it admits; null: not used yet */
    public record Token(byte[] tokenSha256, Instant expiresAt, byte @Nullable [] requestSha256) {}

    /**
     * @param state {@code pending}, {@code issued} or {@code refused}
     * @param refusal why, if it was refused
     * @param certificate DER, as the authority's; both present if it was issued
     */
    public record Request(
            String state,
            @Nullable String refusal,
            byte @Nullable [] certificate,
            byte @Nullable [] authority,
            @Nullable Instant expiresAt,
            boolean revoked) {}

    /** Replaces a token that the node had. */
    public void putToken(UUID nodeId, byte[] tokenSha256, Instant expiresAt) {
        jdbc.sql("""
                        insert into node_enrolment_tokens (node_id, token_sha256, expires_at) values (?, ?, ?)
                        on conflict (node_id) do update
                        set token_sha256 = excluded.token_sha256, expires_at = excluded.expires_at,
                            request_sha256 = null, created_at = now()""")
                .param(nodeId)
                .param(tokenSha256)
                .param(Timestamp.from(expiresAt))
                .update();
    }

    public Optional<Token> token(UUID popId, UUID nodeId) {
        return jdbc.sql("""
                        select t.token_sha256, t.expires_at, t.request_sha256
                        from node_enrolment_tokens t join nodes n on n.id = t.node_id
                        where n.id = ? and n.pop_id = ? and n.deleted_at is null""")
                .param(nodeId)
                .param(popId)
                .query((row, n) ->
                        new Token(row.getBytes(1), row.getTimestamp(2).toInstant(), row.getBytes(3)))
                .optional();
    }

    /** @return whether the token now admits this request, and none did before */
    public boolean useToken(UUID nodeId, byte[] tokenSha256, byte[] requestSha256) {
        return jdbc.sql("""
                        update node_enrolment_tokens set request_sha256 = ?
                        where node_id = ? and token_sha256 = ? and request_sha256 is null""")
                        .param(requestSha256)
                        .param(nodeId)
                        .param(tokenSha256)
                        .update()
                == 1;
    }

    /** A certificate of the node that proves something now, as DER. */
    public Optional<byte[]> validCertificate(UUID popId, UUID nodeId, byte[] certificateSha256) {
        return jdbc.sql("""
                        select c.certificate from node_certificates c join nodes n on n.id = c.node_id
                        where c.certificate_sha256 = ? and n.id = ? and n.pop_id = ? and n.deleted_at is null
                            and c.revoked_at is null and c.expires_at > now()""")
                .param(certificateSha256)
                .param(nodeId)
                .param(popId)
                .query((row, n) -> row.getBytes(1))
                .optional();
    }

    /** How many certificates and requests for some the node has. */
    public long open(UUID nodeId) {
        return jdbc.sql("""
                        select count(*) from node_certificates
                        where node_id = ? and revoked_at is null
                            and (state = 'pending' or state = 'issued' and expires_at > now())""").param(nodeId).query(Long.class).single();
    }

    /** Does nothing if the node made the same request before. */
    public void ask(UUID id, UUID nodeId, String proof, byte[] request, byte[] requestSha256) {
        jdbc.sql("""
                        insert into node_certificates (id, node_id, proof, request, request_sha256)
                        values (?, ?, ?, ?, ?) on conflict (node_id, request_sha256) do nothing""")
                .param(id)
                .param(nodeId)
                .param(proof)
                .param(request)
                .param(requestSha256)
                .update();
    }

    public Optional<Request> request(UUID nodeId, byte[] requestSha256) {
        return jdbc.sql("""
                        select state, refusal, certificate, authority, expires_at, revoked_at is not null
                        from node_certificates where node_id = ? and request_sha256 = ?""")
                .param(nodeId)
                .param(requestSha256)
                .query((row, n) -> {
                    Timestamp expiresAt = row.getTimestamp(5);
                    return new Request(
                            row.getString(1),
                            row.getString(2),
                            row.getBytes(3),
                            row.getBytes(4),
                            expiresAt == null ? null : expiresAt.toInstant(),
                            row.getBoolean(6));
                })
                .optional();
    }

    /** Of a node that is removed: nothing that it has proves anything from now on. */
    public void revoke(UUID nodeId) {
        jdbc.sql("delete from node_enrolment_tokens where node_id = ?")
                .param(nodeId)
                .update();
        jdbc.sql("""
                        update node_certificates set revoked_at = now() where node_id = ? and revoked_at is null""").param(nodeId).update();
    }
}
