// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.identity;

import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.Base64;
import java.util.HexFormat;
import java.util.Set;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gets the node's certificate from the API: the first by an operator's token, later ones by the one that it has. The key is
 * made here and stays here. Asking again with the same request is how to hear what became of it, so a lost answer does no
 * harm; each attempt makes a new key.
 */
public final class Enrolment {
    private static final Logger log = LoggerFactory.getLogger(Enrolment.class);
    private static final Duration CALL_TIMEOUT = Duration.ofSeconds(10);
    private static final Duration LONGEST_WAIT = Duration.ofMinutes(2);
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(10);
    private static final int ACCEPTED = 202;
    private static final int TOO_MANY = 429;
    private static final int UNAVAILABLE = 503;

    private final EnrolmentSettings settings;
    private final NodeIdentity identity;

    public Enrolment(EnrolmentSettings settings) {
        this.settings = settings;
        this.identity = new NodeIdentity(settings.certificate(), settings.key());
    }

    /** @throws IOException if the API cannot be reached or does not give a certificate; nothing is changed then */
    public void enrol(Path tokenFile) throws IOException, InterruptedException {
        String token = Files.readString(tokenFile).strip();
        JsonObject body = new JsonObject();
        body.addProperty("token", token);
        obtain(CertificateRequest.of(settings.nodeId()), body);
        // It admits nothing any more.
        Files.deleteIfExists(tokenFile);
    }

    /** As {@link #enrol}, by the certificate that the node has. */
    public void renew() throws IOException, InterruptedException {
        NodeIdentity.Held held = identity.held();
        CertificateRequest request = CertificateRequest.of(settings.nodeId());
        byte[] text = ("weir-certificate-renewal-v1\n" + settings.nodeId() + "\n").getBytes(StandardCharsets.UTF_8);
        JsonObject body = new JsonObject();
        try {
            body.addProperty("certificate_sha256", HexFormat.of().formatHex(held.sha256()));
            body.addProperty(
                    "signature",
                    Base64.getEncoder().encodeToString(NodeIdentity.sign(held.key(), text, request.der())));
        } catch (GeneralSecurityException e) {
            throw new IOException("the node's key can't sign", e);
        }
        obtain(request, body);
    }

    NodeIdentity identity() {
        return identity;
    }

    EnrolmentSettings settings() {
        return settings;
    }

    private void obtain(CertificateRequest request, JsonObject body) throws IOException, InterruptedException {
        body.addProperty("certificate_request", request.pem());
        JsonObject answer = ask(body.toString());
        String certificate = text(answer, "certificate");
        String authority = text(answer, "authority");
        X509Certificate own = Pem.certificates(certificate).getFirst();
        if (!own.getPublicKey().equals(request.keys().getPublic())) {
            throw new IOException("the API answered with the certificate of another key");
        }
        String key = Pem.encode("PRIVATE KEY", request.keys().getPrivate().getEncoded());
        store(key, certificate + authority);
        identity.lookAgain();
        if (!Files.exists(settings.authority())) {
            write(settings.authority(), authority);
        }
        log.atInfo()
                .addKeyValue("node", settings.nodeId())
                .addKeyValue("serial", own.getSerialNumber().toString(16))
                .addKeyValue("until", own.getNotAfter().toInstant())
                .log("certificate obtained");
    }

    private JsonObject ask(String body) throws IOException, InterruptedException {
        URI uri = settings.api()
                .resolve("/v1/pops/%s/nodes/%s/certificate".formatted(settings.popId(), settings.nodeId()));
        HttpRequest request = HttpRequest.newBuilder(uri)
                .timeout(CALL_TIMEOUT)
                .header("Content-Type", "application/json")
                .header("Accept", "application/json, application/problem+json")
                .PUT(BodyPublishers.ofString(body))
                .build();
        long deadline = System.nanoTime() + LONGEST_WAIT.toNanos();
        try (HttpClient http = client()) {
            while (true) {
                HttpResponse<String> response = http.send(request, BodyHandlers.ofString());
                switch (response.statusCode()) {
                    case 200 -> {
                        return object(response.body());
                    }
                    case ACCEPTED, TOO_MANY, UNAVAILABLE -> {
                        Duration pause = pause(response);
                        if (System.nanoTime() + pause.toNanos() > deadline) {
                            throw new IOException("no certificate within " + LONGEST_WAIT.toSeconds() + " s, last "
                                    + response.statusCode());
                        }
                        Thread.sleep(pause);
                    }
                    default ->
                        throw new IOException(
                                "the API gives no certificate: " + response.statusCode() + " " + response.body());
                }
            }
        }
    }

    private HttpClient client() throws IOException {
        HttpClient.Builder builder =
                HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(CALL_TIMEOUT);
        Path ca = settings.apiCa();
        if (ca != null) {
            try {
                TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
                trust.init(NodeSslEngineFactory.trusted(Files.readString(ca)));
                SSLContext context = SSLContext.getInstance("TLS");
                context.init(null, trust.getTrustManagers(), null);
                builder.sslContext(context);
            } catch (GeneralSecurityException e) {
                throw new IOException(ca + " can't be used", e);
            }
        }
        return builder.build();
    }

    private static Duration pause(HttpResponse<String> response) {
        long seconds = response.headers()
                .firstValue("Retry-After")
                .filter(value -> value.matches("\\d{1,6}"))
                .map(Long::parseLong)
                .orElse(1L);
        Duration asked = Duration.ofSeconds(Math.max(1, seconds));
        return asked.compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : asked;
    }

    private static JsonObject object(String body) throws IOException {
        try {
            return JsonParser.parseString(body).getAsJsonObject();
        } catch (JsonParseException | IllegalStateException e) {
            throw new IOException("the API answered with something else than JSON", e);
        }
    }

    private static String text(JsonObject answer, String name) throws IOException {
        if (!answer.has(name) || !answer.get(name).isJsonPrimitive()) {
            throw new IOException("the API answered without " + name);
        }
        return answer.get(name).getAsString();
    }

    /** One file is replaced at once; of two, the pair is usable again when both are there. */
    private void store(String key, String certificates) throws IOException {
        if (settings.key().equals(settings.certificate())) {
            write(settings.key(), key + certificates);
        } else {
            write(settings.key(), key);
            write(settings.certificate(), certificates);
        }
    }

    /** For nobody else to read; either wholly the new text or wholly the former. */
    private static void write(Path file, String text) throws IOException {
        Path aside = file.resolveSibling(file.getFileName() + ".new");
        Files.deleteIfExists(aside);
        Path directory = file.toAbsolutePath().getParent();
        if (directory != null) {
            Files.createDirectories(directory);
        }
        Files.createFile(
                aside,
                PosixFilePermissions.asFileAttribute(
                        Set.of(PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE)));
        try (FileChannel channel = FileChannel.open(aside, StandardOpenOption.WRITE)) {
            ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII));
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
            channel.force(true);
        }
        Files.move(aside, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        if (directory != null) {
            try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
                channel.force(true);
            }
        }
    }
}
