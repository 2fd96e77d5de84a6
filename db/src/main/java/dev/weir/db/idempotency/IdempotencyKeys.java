// SPDX-License-Identifier: Apache-2.0
package dev.weir.db.idempotency;

import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;

/** What calls with an Idempotency-Key answered, written in the transaction of the call. */
public final class IdempotencyKeys {
    /** Stands for "no project" in calls about the fleet. */
    public static final UUID FLEET = new UUID(0, 0);

    private final JdbcClient jdbc;

    public IdempotencyKeys(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    /**
     * @param status null: the call that has the key still runs
     * @param body JSON text
     */
    public record Answer(
            byte[] requestHash,
            @Nullable Integer status,
            @Nullable String location,
            @Nullable String etag,
            @Nullable String body) {}

    /**
     * Claims the key for the current transaction. A twin in flight is waited for.
     *
     * @return what an earlier call answered; empty when the key is the caller's now
     */
    public Optional<Answer> claim(UUID projectId, String subject, String key, byte[] requestHash) {
        jdbc.sql("""
                delete from idempotency_keys
                where project_id = ? and subject = ? and key = ?
                    and (created_at < now() - interval '24 hours'
                        or status is null and created_at < now() - interval '1 minute')""").param(projectId).param(subject).param(key).update();
        int claimed = jdbc.sql("""
                insert into idempotency_keys (project_id, subject, key, request_hash) values (?, ?, ?, ?)
                on conflict do nothing""")
                .param(projectId)
                .param(subject)
                .param(key)
                .param(requestHash)
                .update();
        return claimed == 1 ? Optional.empty() : find(projectId, subject, key);
    }

    /** What a call with this key answered in the last 24 hours. */
    public Optional<Answer> find(UUID projectId, String subject, String key) {
        return jdbc.sql("""
                select request_hash, status, location, etag, body::text as body from idempotency_keys
                where project_id = ? and subject = ? and key = ? and created_at >= now() - interval '24 hours'""")
                .param(projectId)
                .param(subject)
                .param(key)
                .query((row, n) -> new Answer(
                        row.getBytes("request_hash"),
                        row.getObject("status", Integer.class),
                        row.getString("location"),
                        row.getString("etag"),
                        row.getString("body")))
                .optional();
    }

    public void answer(
            UUID projectId,
            String subject,
            String key,
            int status,
            @Nullable String location,
            @Nullable String etag,
            String body) {
        jdbc.sql("""
                update idempotency_keys
                set status = :status, location = :location, etag = :etag, body = :body::json
                where project_id = :project_id and subject = :subject and key = :key""")
                .param("status", status)
                .param("location", location)
                .param("etag", etag)
                .param("body", body)
                .param("project_id", projectId)
                .param("subject", subject)
                .param("key", key)
                .update();
    }

    /** Gives a claimed key back: the call that had it answered nothing worth keeping. */
    public void abandon(UUID projectId, String subject, String key) {
        jdbc.sql("delete from idempotency_keys where project_id = ? and subject = ? and key = ? and status is null")
                .param(projectId)
                .param(subject)
                .param(key)
                .update();
    }

    /** @return how many answers were forgotten, because they are older than 24 hours; a portion at a time */
    public int forgetOld() {
        return jdbc.sql("select forget_idempotency_keys()").query(Integer.class).single();
    }
}
