// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.identity;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The node's key and certificate as the files have them now, whoever renewed them. Thread-safe.
 *
 * <p>A renewed pair is seen within {@value #LOOK_EACH_MS} ms. Key and certificate that do not fit are not used: the
 * former pair stays until both files are there.
 */
public final class NodeIdentity {
    static final int LOOK_EACH_MS = 1_000;

    private static final byte[] REPORT_DOMAIN = "weir-report-v1".getBytes(StandardCharsets.US_ASCII);
    private static final byte SIGNATURE_VERSION = 1;

    private final Path certificateFile;
    private final Path keyFile;
    private @Nullable Held held;
    private String heldText = "";
    private long lookedAt;

    /**
     * @param chain the node's own certificate first
     * @param sha256 of the node's own certificate
     */
    record Held(PrivateKey key, List<X509Certificate> chain, byte[] sha256) {
        X509Certificate certificate() {
            return chain.getFirst();
        }
    }

    /** The files are PEM and may be one and the same. */
    public NodeIdentity(Path certificateFile, Path keyFile) {
        this.certificateFile = certificateFile;
        this.keyFile = keyFile;
    }

    Path certificateFile() {
        return certificateFile;
    }

    Path keyFile() {
        return keyFile;
    }

    /** @throws IOException if there is no pair that can be used */
    synchronized Held held() throws IOException {
        Held known = held;
        if (known != null
                && System.nanoTime() - lookedAt
                        < Duration.ofMillis(LOOK_EACH_MS).toNanos()) {
            return known;
        }
        try {
            String certificates = Files.readString(certificateFile);
            String key = keyFile.equals(certificateFile) ? certificates : Files.readString(keyFile);
            if (known == null || !heldText.equals(certificates + key)) {
                known = read(certificates, key);
                held = known;
                heldText = certificates + key;
            }
        } catch (IOException e) {
            if (known == null) {
                throw e;
            }
        }
        lookedAt = System.nanoTime();
        return known;
    }

    /** The files were just written. */
    synchronized void lookAgain() {
        lookedAt = System.nanoTime() - Duration.ofMillis(LOOK_EACH_MS).toNanos();
    }

    private Held read(String certificates, String key) throws IOException {
        try {
            List<X509Certificate> chain = Pem.certificates(certificates);
            PrivateKey privateKey = Pem.privateKey(key);
            byte[] probe = {1};
            Signature check = Signature.getInstance("SHA256withECDSA");
            check.initVerify(chain.getFirst());
            check.update(probe);
            if (!check.verify(sign(privateKey, probe))) {
                throw new IOException(keyFile + " is not the key of " + certificateFile);
            }
            byte[] sha256 =
                    MessageDigest.getInstance("SHA-256").digest(chain.getFirst().getEncoded());
            return new Held(privateKey, chain, sha256);
        } catch (GeneralSecurityException e) {
            throw new IOException(certificateFile + " or its key can't be used", e);
        }
    }

    static byte[] sign(PrivateKey key, byte[]... parts) throws GeneralSecurityException {
        Signature signer = Signature.getInstance("SHA256withECDSA");
        signer.initSign(key);
        for (byte[] part : parts) {
            signer.update(part);
        }
        return signer.sign();
    }

    /**
     * The header {@code weir-signature} of a report, as {@code openapi/messages/topics.md} has it.
     *
     * @throws IOException if the node has no certificate
     */
    public byte[] signReport(String topic, String key, byte[] value) throws IOException {
        Held signer = held();
        try {
            byte[] signature = sign(signer.key(), reportText(topic, key, value));
            return ByteBuffer.allocate(1 + signer.sha256().length + signature.length)
                    .put(SIGNATURE_VERSION)
                    .put(signer.sha256())
                    .put(signature)
                    .array();
        } catch (GeneralSecurityException e) {
            throw new IOException("the node's key can't sign", e);
        }
    }

    static byte[] reportText(String topic, String key, byte[] value) {
        byte[] topicBytes = topic.getBytes(StandardCharsets.UTF_8);
        byte[] keyBytes = key.getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(
                        REPORT_DOMAIN.length + 3 * Integer.BYTES + topicBytes.length + keyBytes.length + value.length)
                .put(REPORT_DOMAIN)
                .putInt(topicBytes.length)
                .put(topicBytes)
                .putInt(keyBytes.length)
                .put(keyBytes)
                .putInt(value.length)
                .put(value)
                .array();
    }
}
