// SPDX-License-Identifier: Apache-2.0
package dev.weir.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.api.RunningApi.Answer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.Signature;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.bouncycastle.asn1.x500.X500Name;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How nodes ask for certificates, and who is not heard. The provisioner's part is played by statements. */
class EnrolmentIT {
    private static RunningApi api;
    private static String operator;

    @BeforeAll
    static void start() {
        api = RunningApi.get();
        operator = api.operatorToken();
    }

    /** A node that exists, and the PoP's path to it. */
    private record TestNode(String path, String id) {}

    private static TestNode node() {
        String pop = RunningApi.created(
                        api.post(operator, "/v1/pops", "{\"name\": \"%s\"}".formatted(RunningApi.name("enrol"))))
                .text("id");
        String id = RunningApi.created(api.post(operator, "/v1/pops/" + pop + "/nodes", """
                        {"name": "node1", "data_address": "10.98.0.11", "data_prefix_length": 24,
                         "bgp": {"local_asn": 64511, "router_id": "10.98.1.11", "peers": []}}"""))
                .text("id");
        return new TestNode("/v1/pops/" + pop + "/nodes/" + id, id);
    }

    private static String token(TestNode node) {
        Answer answer = api.post(operator, node.path() + ":enroll", null);
        assertThat(answer.status()).isEqualTo(200);
        return answer.text("token");
    }

    /** The api does not look into requests; any bytes do. */
    private static String pem(String content) {
        return "-----BEGIN CERTIFICATE REQUEST-----\\n%s\\n-----END CERTIFICATE REQUEST-----\\n"
                .formatted(Base64.getEncoder().encodeToString(content.getBytes(StandardCharsets.UTF_8)));
    }

    private static Answer ask(TestNode node, String token, String request) {
        return put(node, """
                {"token": "%s", "certificate_request": "%s"}""".formatted(token, pem(request)));
    }

    private static Answer put(TestNode node, String body) {
        return api.call(null, "PUT", node.path() + "/certificate", body, Map.of());
    }

    /** As the provisioner does. */
    private static void issue(TestNode node, TestAuthority authority) throws Exception {
        String hex = HexFormat.of().formatHex(authority.certificate());
        String sha256 =
                HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(authority.certificate()));
        api.execute("""
                update node_certificates set state = 'issued', certificate = '\\x%1$s', authority = '\\x%1$s',
                    certificate_sha256 = '\\x%2$s', expires_at = now() + interval '1 day'
                where state = 'pending' and node_id = '%3$s'""".formatted(hex, sha256, node.id().substring(5)));
    }

    @Test
    void tokenAdmitsOneRequestWhichMayBeRepeated() throws Exception {
        TestNode node = node();
        String token = token(node);

        Answer first = ask(node, token, "mine");
        Answer again = ask(node, token, "mine");
        Answer other = ask(node, token, "other");
        issue(node, TestAuthority.make(node.id()));
        Answer issued = ask(node, token, "mine");

        assertThat(first.status()).isEqualTo(202);
        assertThat(first.text("state")).isEqualTo("pending");
        assertThat(first.header("retry-after")).isNotEmpty();
        assertThat(again.status()).isEqualTo(202);
        assertThat(other.status()).isEqualTo(401);
        assertThat(issued.status()).isEqualTo(200);
        assertThat(issued.text("certificate")).startsWith("-----BEGIN CERTIFICATE-----\n");
        assertThat(api.query("select count(*) from node_certificates where node_id = '%s'"
                        .formatted(node.id().substring(5))))
                .isEqualTo("1");
    }

    @Test
    void secretIsShownOnceAndStoredAsAHash() {
        TestNode node = node();
        Map<String, String> key = Map.of("Idempotency-Key", RunningApi.name("enrol-key"));

        Answer first = api.call(operator, "POST", node.path() + ":enroll", null, key);
        Answer replayed = api.call(operator, "POST", node.path() + ":enroll", null, key);

        assertThat(first.text("token")).startsWith("weir-node-").hasSizeGreaterThan(50);
        assertThat(replayed.status()).isEqualTo(200);
        assertThat(replayed.body().has("token")).isFalse();
        assertThat(api.query("select sha256('%s'::bytea) = token_sha256 from node_enrolment_tokens where node_id = '%s'"
                        .formatted(first.text("token"), node.id().substring(5))))
                .isEqualTo("t");
        assertThat(
                        api.query(
                                "select coalesce(string_agg(changes::text, ''), '') from audit_events where action = 'enrollNode'"))
                .contains(node.id())
                .doesNotContain("sha256");
    }

    /** Nobody learns from the answer what there is and what not. */
    @Test
    void whateverIsWrongTheAnswerIsTheSame() {
        TestNode node = node();
        TestNode withoutToken = node();
        TestNode nobody = new TestNode(
                "/v1/pops/pop_00000000000000000000000000000001/nodes/node_00000000000000000000000000000001", "");
        TestNode inAnotherPop =
                new TestNode(withoutToken.path().replaceFirst("/nodes/.*", "/nodes/") + node.id(), node.id());
        String token = token(node);
        TestNode late = node();
        String expired = token(late);
        api.execute("update node_enrolment_tokens set expires_at = now() where node_id = '%s'"
                .formatted(late.id().substring(5)));
        TestNode again = node();
        String replaced = token(again);
        token(again);
        TestNode removed = node();
        String removeds = token(removed);
        api.delete(operator, removed.path());

        List<Answer> answers = List.of(
                ask(node, token + "x", "a"),
                ask(withoutToken, token, "a"),
                ask(nobody, token, "a"),
                ask(inAnotherPop, token, "a"),
                ask(late, expired, "a"),
                ask(again, replaced, "a"),
                ask(removed, removeds, "a"),
                put(node, """
                        {"certificate_request": "%s", "certificate_sha256": "%s", "signature": "AAAA"}""".formatted(pem("a"), "0".repeat(64))));

        assertThat(answers).allSatisfy(answer -> {
            assertThat(answer.status()).isEqualTo(401);
            assertThat(answer.text("code")).isEqualTo("UNAUTHENTICATED");
            assertThat(answer.text("detail")).isEqualTo(answers.getFirst().text("detail"));
            assertThat(answer.headers().keySet())
                    .isEqualTo(answers.getFirst().headers().keySet());
        });
        assertThat(ask(node, token, "a").status()).as("the good one still is").isEqualTo(202);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"certificate_request\": \"nonsense\", \"token\": \"x\"}",
                "{\"certificate_request\": \"-----BEGIN CERTIFICATE REQUEST-----\\nAA\", \"token\": \"x\"}",
                "{\"certificate_request\": \"-----BEGIN CERTIFICATE REQUEST-----\\nAAAA\\n-----END CERTIFICATE REQUEST-----\"}"
            })
    void malformedRequestsAreRefusedBeforeAnybodyLooksForTheNode(String body) {
        assertThat(put(node(), body).status()).isEqualTo(422);
    }

    @Test
    void oversizedRequestIsRefused() {
        TestNode node = node();

        Answer answer = ask(node, token(node), "x".repeat(4096));

        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.pointers()).containsExactly("/certificate_request");
    }

    @Test
    void certificateIsRenewedByItsOwnKeyUntilTheNodeIsRemoved() throws Exception {
        TestNode node = node();
        TestAuthority authority = TestAuthority.make(node.id());
        ask(node, token(node), "first");
        issue(node, authority);

        Answer renewed = put(node, authority.renewal(node.id(), "second"));
        Answer replayedForAnother = put(node(), authority.renewal(node.id(), "second"));
        Answer signedForAnother = put(node, authority.renewal("node_0", "third"));
        String bySelf = authority.renewal(node.id(), "fourth");
        Answer exchanged = put(node, bySelf.replace(pem("fourth"), pem("fifth")));
        api.delete(operator, node.path());
        Answer afterwards = put(node, bySelf);

        assertThat(renewed.status()).isEqualTo(202);
        assertThat(replayedForAnother.status()).isEqualTo(401);
        assertThat(signedForAnother.status()).isEqualTo(401);
        assertThat(exchanged.status()).isEqualTo(401);
        assertThat(afterwards.status()).isEqualTo(401);
        assertThat(api.query("select count(*) from node_certificates where revoked_at is null and node_id = '%s'"
                        .formatted(node.id().substring(5))))
                .isEqualTo("0");
    }

    @Test
    void refusedRequestSaysWhyAndRevokedKeyIsNotTakenAgain() {
        TestNode node = node();
        String token = token(node);
        ask(node, token, "weak");
        api.execute("update node_certificates set state = 'refused', refusal = 'too weak' where node_id = '%s'"
                .formatted(node.id().substring(5)));
        Answer refused = ask(node, token, "weak");
        api.execute("update node_certificates set revoked_at = now() where node_id = '%s'"
                .formatted(node.id().substring(5)));
        Answer revoked = ask(node, token(node), "weak");

        assertThat(refused.status()).isEqualTo(422);
        assertThat(refused.body().toString()).contains("too weak", "/certificate_request");
        assertThat(revoked.status()).isEqualTo(422);
        assertThat(revoked.body().toString()).contains("make a new key");
    }

    @Test
    void nodeThatNeverStopsAskingIsStopped() throws Exception {
        TestNode node = node();
        TestAuthority authority = TestAuthority.make(node.id());
        ask(node, token(node), "first");
        issue(node, authority);

        List<Integer> statuses = new ArrayList<>();
        for (int n = 0; n < 9; n++) {
            statuses.add(put(node, authority.renewal(node.id(), "renewal" + n)).status());
        }

        assertThat(statuses.subList(0, 7)).containsOnly(202);
        assertThat(statuses.subList(7, 9)).containsOnly(429);
    }

    /** A node's key with a certificate as the provisioner would issue it. */
    private record TestAuthority(java.security.KeyPair keys, byte[] certificate) {
        static TestAuthority make(String nodeId) throws Exception {
            var generator = java.security.KeyPairGenerator.getInstance("EC");
            generator.initialize(new java.security.spec.ECGenParameterSpec("secp256r1"));
            var keys = generator.generateKeyPair();
            var now = java.time.Instant.now();
            var name = new X500Name("CN=" + nodeId);
            var holder = new org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder(
                            name,
                            java.math.BigInteger.valueOf(now.toEpochMilli()),
                            java.util.Date.from(now),
                            java.util.Date.from(now.plusSeconds(86_400)),
                            name,
                            keys.getPublic())
                    .build(new org.bouncycastle.operator.jcajce.JcaContentSignerBuilder("SHA256withECDSA")
                            .build(keys.getPrivate()));
            return new TestAuthority(keys, holder.getEncoded());
        }

        String renewal(String nodeId, String request) throws Exception {
            Signature signer = Signature.getInstance("SHA256withECDSA");
            signer.initSign(keys.getPrivate());
            signer.update(("weir-certificate-renewal-v1\n" + nodeId + "\n").getBytes(StandardCharsets.UTF_8));
            signer.update(request.getBytes(StandardCharsets.UTF_8));
            return """
                    {"certificate_request": "%s", "certificate_sha256": "%s", "signature": "%s"}""".formatted(
                    pem(request),
                    HexFormat.of()
                            .formatHex(MessageDigest.getInstance("SHA-256").digest(certificate)),
                    Base64.getEncoder().encodeToString(signer.sign()));
        }
    }
}
