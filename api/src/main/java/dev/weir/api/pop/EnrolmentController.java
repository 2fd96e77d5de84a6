// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.pop;

import dev.weir.api.access.Access;
import dev.weir.api.web.FieldFault;
import dev.weir.api.web.IdempotentCalls;
import dev.weir.api.web.Ids;
import dev.weir.api.web.ProblemCode;
import dev.weir.api.web.ProblemException;
import dev.weir.api.web.Times;
import dev.weir.compiler.ResourceId;
import dev.weir.db.pop.EnrolmentRows;
import dev.weir.db.pop.EnrolmentRows.Request;
import dev.weir.db.pop.FleetRows;
import dev.weir.rest.v1.EnrolmentApi;
import dev.weir.rest.v1.model.NodeCertificate;
import dev.weir.rest.v1.model.NodeCertificateRequest;
import dev.weir.rest.v1.model.NodeCertificateState;
import dev.weir.rest.v1.model.NodeEnrolmentToken;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.RestController;

/**
 * Admits nodes' certificate requests; the provisioner signs them.
 *
 * <p>A request is known by its hash, so that asking again is the same as asking how it stands, and a token that a
 * request was made with admits this one for ever and no other.
 */
@RestController
final class EnrolmentController implements EnrolmentApi {
    private static final Duration TOKEN_LIFE = Duration.ofHours(1);
    private static final int TOKEN_BYTES = 32;
    private static final String TOKEN_PREFIX = "weir-node-";
    /** A node needs two, one of them for as long as it takes to go over to the other. */
    private static final int MOST_CERTIFICATES = 8;
    /** Requests are signed about twice a second. */
    private static final String RETRY_AFTER_S = "1";

    private final Access access;
    private final IdempotentCalls idempotent;
    private final FleetRows nodes;
    private final EnrolmentRows rows;
    private final Ids ids;
    private final Clock clock;
    private final SecureRandom random = new SecureRandom();

    EnrolmentController(
            Access access, IdempotentCalls idempotent, FleetRows nodes, EnrolmentRows rows, Ids ids, Clock clock) {
        this.access = access;
        this.idempotent = idempotent;
        this.nodes = nodes;
        this.rows = rows;
        this.ids = ids;
        this.clock = clock;
    }

    @Override
    public ResponseEntity<NodeEnrolmentToken> enrollNode(String popId, String nodeId, @Nullable String idempotencyKey) {
        UUID pop = Ids.path(ResourceId.POP, popId);
        UUID id = Ids.path(ResourceId.NODE, nodeId);
        return access.writeFleet(
                "enrollNode",
                fleet -> idempotent.run(
                        null,
                        fleet.subject(),
                        idempotencyKey,
                        NodeEnrolmentToken.class,
                        EnrolmentController::withoutSecret,
                        () -> ResponseEntity.ok(token(pop, id))));
    }

    private NodeEnrolmentToken token(UUID pop, UUID id) {
        var _ = nodes.lockNode(pop, id).orElseThrow(ProblemException::notFound);
        byte[] secret = new byte[TOKEN_BYTES];
        random.nextBytes(secret);
        String token = TOKEN_PREFIX + Base64.getUrlEncoder().withoutPadding().encodeToString(secret);
        Instant expiresAt = Times.stored(clock.instant().plus(TOKEN_LIFE));
        rows.putToken(id, sha256(token), expiresAt);
        return new NodeEnrolmentToken()
                .nodeId(ResourceId.NODE.format(id))
                .token(token)
                .expiresAt(Times.of(expiresAt));
    }

    private static NodeEnrolmentToken withoutSecret(NodeEnrolmentToken answer) {
        return new NodeEnrolmentToken().nodeId(answer.getNodeId()).expiresAt(answer.getExpiresAt());
    }

    /** @param sha256 of the request */
    private record Asked(UUID pop, UUID node, byte[] request, byte[] sha256, Proof proof) {}

    /** By what a node shows that it may ask. */
    private sealed interface Proof {
        record Token(byte[] sha256) implements Proof {}

        record Certificate(byte[] sha256, byte[] signature) implements Proof {}
    }

    @Override
    public ResponseEntity<NodeCertificate> requestNodeCertificate(
            String popId, String nodeId, NodeCertificateRequest body) {
        byte[] request = Pem.decode("CERTIFICATE REQUEST", body.getCertificateRequest())
                .orElseThrow(() -> refused("/certificate_request", "FORMAT_INVALID", "must be PKCS#10 as PEM"));
        Asked asked = new Asked(
                Ids.path(ResourceId.POP, popId),
                Ids.path(ResourceId.NODE, nodeId),
                request,
                Digests.sha256(request),
                proof(body));
        Optional<Request> known = access.readAsNode(asked.node(), () -> known(asked));
        return known.isPresent()
                ? answer(asked, known.get())
                : access.writeAsNode(asked.node(), "requestNodeCertificate", () -> answer(asked, ask(asked)));
    }

    private static Proof proof(NodeCertificateRequest body) {
        String token = body.getToken();
        String certificate = body.getCertificateSha256();
        String signature = body.getSignature();
        if (token != null && certificate == null && signature == null) {
            return new Proof.Token(sha256(token));
        }
        if (token == null && certificate != null && signature != null) {
            try {
                return new Proof.Certificate(
                        HexFormat.of().parseHex(certificate),
                        Base64.getDecoder().decode(signature));
            } catch (IllegalArgumentException e) {
                throw refused("/signature", "FORMAT_INVALID", "must be Base64");
            }
        }
        throw refused("/token", "REQUIRED", "give either token, or certificate_sha256 and signature");
    }

    /** What became of the request; empty if it is new. Throws unless the node may ask. */
    private Optional<Request> known(Asked asked) {
        return switch (asked.proof()) {
            case Proof.Token token -> {
                byte[] used = checked(asked, token).requestSha256();
                yield used == null ? Optional.empty() : rows.request(asked.node(), asked.sha256());
            }
            case Proof.Certificate certificate -> {
                check(asked, certificate);
                yield rows.request(asked.node(), asked.sha256());
            }
        };
    }

    private Request ask(Asked asked) {
        switch (asked.proof()) {
            case Proof.Token token -> {
                checked(asked, token);
                // Of twins that come with two requests, one is too late.
                if (!rows.useToken(asked.node(), token.sha256(), asked.sha256())
                        && rows.request(asked.node(), asked.sha256()).isEmpty()) {
                    throw unproven();
                }
                rows.ask(ids.next(), asked.node(), "token", asked.request(), asked.sha256());
            }
            case Proof.Certificate certificate -> {
                var _ = nodes.lockNode(asked.pop(), asked.node()).orElseThrow(EnrolmentController::unproven);
                check(asked, certificate);
                if (rows.open(asked.node()) >= MOST_CERTIFICATES) {
                    throw new ProblemException(
                            ProblemCode.RATE_LIMITED, "The node has too many certificates; some must expire first.");
                }
                rows.ask(ids.next(), asked.node(), "certificate", asked.request(), asked.sha256());
            }
        }
        return rows.request(asked.node(), asked.sha256()).orElseThrow();
    }

    private EnrolmentRows.Token checked(Asked asked, Proof.Token given) {
        EnrolmentRows.Token token = rows.token(asked.pop(), asked.node()).orElseThrow(EnrolmentController::unproven);
        byte[] used = token.requestSha256();
        // Hashes are compared, which say nothing about how much of a token was right.
        if (!MessageDigest.isEqual(token.tokenSha256(), given.sha256())
                || !clock.instant().isBefore(token.expiresAt())
                || used != null && !MessageDigest.isEqual(used, asked.sha256())) {
            throw unproven();
        }
        return token;
    }

    private void check(Asked asked, Proof.Certificate given) {
        byte[] certificate = rows.validCertificate(asked.pop(), asked.node(), given.sha256())
                .orElseThrow(EnrolmentController::unproven);
        byte[] text = ("weir-certificate-renewal-v1\n" + ResourceId.NODE.format(asked.node()) + "\n")
                .getBytes(StandardCharsets.UTF_8);
        if (!Digests.isSignedBy(certificate, given.signature(), text, asked.request())) {
            throw unproven();
        }
    }

    private static ResponseEntity<NodeCertificate> answer(Asked asked, Request request) {
        NodeCertificate answer = new NodeCertificate().nodeId(ResourceId.NODE.format(asked.node()));
        if (request.revoked()) {
            throw refused("/certificate_request", "REVOKED", "its certificate was revoked: make a new key");
        }
        return switch (request.state()) {
            case "issued" ->
                ResponseEntity.ok(answer.state(NodeCertificateState.ISSUED)
                        .certificate(Pem.encode("CERTIFICATE", Objects.requireNonNull(request.certificate())))
                        .authority(Pem.encode("CERTIFICATE", Objects.requireNonNull(request.authority())))
                        .expiresAt(Times.of(Objects.requireNonNull(request.expiresAt()))));
            case "refused" ->
                throw refused("/certificate_request", "REFUSED", Objects.requireNonNull(request.refusal()));
            default ->
                ResponseEntity.status(HttpStatus.ACCEPTED)
                        .header(HttpHeaders.RETRY_AFTER, RETRY_AFTER_S)
                        .body(answer.state(NodeCertificateState.PENDING));
        };
    }

    private static ProblemException refused(String pointer, String code, String detail) {
        return ProblemException.refused(List.of(new FieldFault(pointer, code, detail)));
    }

    /** One answer for whatever is wrong: it tells nobody which nodes, tokens or certificates there are. */
    private static ProblemException unproven() {
        return new ProblemException(ProblemCode.UNAUTHENTICATED, "The token or the signature is not valid.");
    }

    private static byte[] sha256(String text) {
        return Digests.sha256(text.getBytes(StandardCharsets.UTF_8));
    }
}
