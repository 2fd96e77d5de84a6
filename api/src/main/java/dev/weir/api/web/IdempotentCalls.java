// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.web;

import dev.weir.db.idempotency.IdempotencyKeys;
import jakarta.servlet.http.HttpServletRequest;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.springframework.http.ResponseEntity;
import org.springframework.stereotype.Component;
import tools.jackson.databind.json.JsonMapper;

/** Answers a repeated call with what the first one answered. Runs inside the transaction of the call. */
@Component
public final class IdempotentCalls {
    private final IdempotencyKeys keys;
    private final JsonMapper json;

    IdempotentCalls(IdempotencyKeys keys, JsonMapper json) {
        this.keys = keys;
        this.json = json;
    }

    /**
     * @param projectId null for the fleet
     * @param key null: the call is not repeatable
     */
    public <T> ResponseEntity<T> run(
            @Nullable UUID projectId,
            String subject,
            @Nullable String key,
            Class<T> type,
            Supplier<ResponseEntity<T>> call) {
        return run(projectId, subject, key, type, UnaryOperator.identity(), call);
    }

    /** @param withoutSecrets what of the answer may be kept */
    public <T> ResponseEntity<T> run(
            @Nullable UUID projectId,
            String subject,
            @Nullable String key,
            Class<T> type,
            UnaryOperator<T> withoutSecrets,
            Supplier<ResponseEntity<T>> call) {
        if (key == null) {
            return call.get();
        }
        check(key);
        UUID scope = projectId == null ? IdempotencyKeys.FLEET : projectId;
        byte[] hash = requestHash();
        Optional<IdempotencyKeys.Answer> before = keys.claim(scope, subject, key, hash);
        if (before.isPresent()) {
            return replay(before.get(), hash, type);
        }
        ResponseEntity<T> answer = call.get();
        T body = answer.getBody();
        keep(scope, subject, key, answer, body == null ? "null" : json.writeValueAsString(withoutSecrets.apply(body)));
        return answer;
    }

    /**
     * Begins a call of several transactions: keeps twins waiting until {@link #finish} or {@link #abandon}, which come
     * in later ones. A claim whose holder died is void after a minute.
     *
     * @return what an earlier call answered; empty: go on
     * @throws StillRunning when a twin has the key
     */
    public <T> Optional<ResponseEntity<T>> begin(UUID projectId, String subject, @Nullable String key, Class<T> type) {
        if (key == null) {
            return Optional.empty();
        }
        check(key);
        byte[] hash = requestHash();
        return keys.claim(projectId, subject, key, hash).map(answer -> replay(answer, hash, type));
    }

    /** Keeps the answer of a call that {@link #begin} let go on. */
    public void finish(UUID projectId, String subject, @Nullable String key, ResponseEntity<?> answer, Object kept) {
        if (key != null) {
            keep(projectId, subject, key, answer, json.writeValueAsString(kept));
        }
    }

    /** Lets a twin try, since this call failed. */
    public void abandon(UUID projectId, String subject, @Nullable String key) {
        if (key != null) {
            keys.abandon(projectId, subject, key);
        }
    }

    /** A twin of this call has its key. */
    public static final class StillRunning extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    /** Runs the beginning of a call again and again until its twin has ended, for ten seconds at most. */
    public static <T> T afterTwin(Supplier<T> begin) {
        for (int waited = 0; ; waited++) {
            try {
                return begin.get();
            } catch (StillRunning e) {
                if (waited == 100) {
                    throw new ProblemException(
                            ProblemCode.IDEMPOTENCY_KEY_IN_USE, "Another call with this Idempotency-Key still runs.");
                }
                pause();
            }
        }
    }

    private static void pause() {
        try {
            Thread.sleep(100);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ProblemException(ProblemCode.IDEMPOTENCY_KEY_IN_USE, "The service is stopping.");
        }
    }

    private void keep(UUID scope, String subject, String key, ResponseEntity<?> answer, String body) {
        URI location = answer.getHeaders().getLocation();
        keys.answer(
                scope,
                subject,
                key,
                answer.getStatusCode().value(),
                location == null ? null : location.toString(),
                answer.getHeaders().getETag(),
                body);
    }

    /** What an earlier call with this key answered, for calls that act outside of the database first. */
    public <T> Optional<ResponseEntity<T>> earlier(
            @Nullable UUID projectId, String subject, @Nullable String key, Class<T> type) {
        if (key == null) {
            return Optional.empty();
        }
        check(key);
        byte[] hash = requestHash();
        return keys.find(projectId == null ? IdempotencyKeys.FLEET : projectId, subject, key)
                .map(answer -> replay(answer, hash, type));
    }

    private <T> ResponseEntity<T> replay(IdempotencyKeys.Answer answer, byte[] hash, Class<T> type) {
        if (!MessageDigest.isEqual(answer.requestHash(), hash)) {
            throw new ProblemException(
                    ProblemCode.IDEMPOTENCY_KEY_REUSED, "Another call used this Idempotency-Key within 24 hours.");
        }
        if (answer.status() == null) {
            throw new StillRunning();
        }
        ResponseEntity.BodyBuilder builder = ResponseEntity.status(answer.status());
        if (answer.location() != null) {
            builder.location(URI.create(answer.location()));
        }
        if (answer.etag() != null) {
            builder.eTag(answer.etag());
        }
        return builder.body(json.readValue(String.valueOf(answer.body()), type));
    }

    private static void check(String key) {
        if (key.isBlank() || key.length() > 128) {
            throw new ProblemException(
                    ProblemCode.INVALID_PARAMETER, "The Idempotency-Key must have from 1 to 128 characters.");
        }
    }

    private static byte[] requestHash() {
        HttpServletRequest request = Trace.request();
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update(
                    (request.getMethod() + " " + request.getRequestURI() + "\n").getBytes(StandardCharsets.UTF_8));
            if (request.getAttribute(ContractBodyAdvice.BODY) instanceof byte[] body) {
                digest.update(body);
            }
            return digest.digest();
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
