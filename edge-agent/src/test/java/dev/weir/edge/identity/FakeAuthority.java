// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.identity;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.math.BigInteger;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.Signature;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.Date;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.operator.jcajce.JcaContentVerifierProviderBuilder;
import org.bouncycastle.pkcs.jcajce.JcaPKCS10CertificationRequest;

/**
 * The API's and the provisioner's part of enrolment, over HTTP: the first answer to a request is 202, the next the
 * certificate. Strict about what the contract says of requests.
 */
final class FakeAuthority implements AutoCloseable {
    static final String POP = "pop_00000000000000000000000000000002";
    static final String NODE = "node_00000000000000000000000000000001";
    static final String TOKEN = "weir-node-token";

    /** How often what was asked for. */
    final List<String> proofs = new CopyOnWriteArrayList<>();

    private final HttpServer server;
    private final X509Certificate authority;
    private final java.security.PrivateKey key;
    private final Duration life;
    private final Map<String, X509Certificate> issued = new HashMap<>();
    private final Map<String, X509Certificate> waiting = new HashMap<>();

    /** @param directory of an authority of {@code Pki} */
    FakeAuthority(Path directory, Duration life) throws IOException {
        this.authority =
                Pem.certificates(Files.readString(directory.resolve("ca.crt"))).getFirst();
        this.key = Pem.privateKey(Files.readString(directory.resolve("ca.key")));
        this.life = life;
        this.server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", this::handle);
        server.start();
    }

    URI url() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
    }

    private void handle(HttpExchange exchange) throws IOException {
        int status;
        JsonObject answer = new JsonObject();
        try {
            String path = "/v1/pops/" + POP + "/nodes/" + NODE + "/certificate";
            if (!exchange.getRequestMethod().equals("PUT")
                    || !exchange.getRequestURI().getPath().equals(path)) {
                status = 404;
            } else {
                status = answer(
                        JsonParser.parseString(
                                        new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8))
                                .getAsJsonObject(),
                        answer);
            }
        } catch (Exception e) {
            status = 500;
            answer.addProperty("detail", e.toString());
        }
        byte[] body = answer.toString().getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().add("Retry-After", "1");
        exchange.sendResponseHeaders(status, body.length);
        exchange.getResponseBody().write(body);
        exchange.close();
    }

    private synchronized int answer(JsonObject body, JsonObject answer) throws Exception {
        byte[] request = Pem.decode(
                        "CERTIFICATE REQUEST", body.get("certificate_request").getAsString())
                .getFirst();
        if (!isProven(body, request)) {
            return 401;
        }
        String sha256 =
                HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(request));
        X509Certificate ready = waiting.get(sha256);
        if (ready == null) {
            proofs.add(body.has("token") ? "token" : "certificate");
            waiting.put(sha256, sign(request));
            answer.addProperty("state", "pending");
            return 202;
        }
        issued.put(HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(ready.getEncoded())), ready);
        answer.addProperty("state", "issued");
        answer.addProperty("certificate", Pem.encode("CERTIFICATE", ready.getEncoded()));
        answer.addProperty("authority", Pem.encode("CERTIFICATE", authority.getEncoded()));
        return 200;
    }

    private boolean isProven(JsonObject body, byte[] request) throws Exception {
        if (body.has("token")) {
            return body.get("token").getAsString().equals(TOKEN) && !body.has("signature");
        }
        X509Certificate held = issued.get(body.get("certificate_sha256").getAsString());
        if (held == null) {
            return false;
        }
        Signature check = Signature.getInstance("SHA256withECDSA");
        check.initVerify(held);
        check.update(("weir-certificate-renewal-v1\n" + NODE + "\n").getBytes(StandardCharsets.UTF_8));
        check.update(request);
        return check.verify(Base64.getDecoder().decode(body.get("signature").getAsString()));
    }

    private X509Certificate sign(byte[] der) throws Exception {
        JcaPKCS10CertificationRequest request = new JcaPKCS10CertificationRequest(der);
        if (!request.isSignatureValid(new JcaContentVerifierProviderBuilder().build(request.getPublicKey()))
                || !request.getSubject().equals(new X500Name("CN=" + NODE))) {
            throw new IllegalStateException("unsound request");
        }
        Instant now = Instant.now();
        return new JcaX509CertificateConverter()
                .getCertificate(new JcaX509v3CertificateBuilder(
                                X500Name.getInstance(
                                        authority.getSubjectX500Principal().getEncoded()),
                                BigInteger.valueOf(System.nanoTime()),
                                Date.from(now),
                                Date.from(now.plus(life)),
                                request.getSubject(),
                                request.getPublicKey())
                        .build(new JcaContentSignerBuilder("SHA256withECDSA").build(key)));
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
