// SPDX-License-Identifier: Apache-2.0
package dev.weir.provisioner.follow;

import dev.weir.compiler.ResourceId;
import dev.weir.provisioner.ProvisionerProperties;
import java.io.ByteArrayInputStream;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.security.Signature;
import java.security.SignatureException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/**
 * Whether a report comes from the node that its key names. Kafka lets each node write to the topics, not to its own keys
 * alone; so each report is signed by the key of a certificate that the authority issued for the node.
 *
 * <p>Certificates are looked at anew each second: that long a revoked one goes on counting. Without an authority nobody
 * knows nodes' certificates, and reports are taken as they come.
 */
@Component
class ReportSignatures {
    private static final Logger log = LoggerFactory.getLogger(ReportSignatures.class);
    private static final Duration STAY_FRESH = Duration.ofSeconds(1);
    /** For what was issued a moment ago, or was never. */
    private static final Duration LOOK_AGAIN = Duration.ofMillis(200);

    private static final Duration SAY_EACH = Duration.ofSeconds(10);

    /** @param certificate its key is the node's */
    private record Signer(UUID nodeId, X509Certificate certificate) {}

    private final boolean wanted;
    private final JdbcClient jdbc;
    private final NodeDirectory directory;

    private Map<ByteBuffer, Signer> signers = Map.of();
    private long readAt = System.nanoTime() - STAY_FRESH.toNanos();
    private long saidAt = System.nanoTime() - SAY_EACH.toNanos();

    ReportSignatures(ProvisionerProperties properties, JdbcClient jdbc, NodeDirectory directory) {
        this.wanted = properties.authority().known();
        this.jdbc = jdbc;
        this.directory = directory;
        if (!wanted) {
            log.atWarn().log("there is no authority for nodes' certificates: reports are taken unsigned");
        }
    }

    /** Drops, counts and tells of what is not signed as it must be. Outside of any transaction. */
    boolean accepts(ConsumerRecord<String, byte[]> record) {
        if (!wanted) {
            return true;
        }
        Optional<SignedReport> signed = record.key() == null ? Optional.empty() : SignedReport.of(record);
        if (signed.isEmpty()) {
            drop(record, "unsigned");
            return false;
        }
        Optional<Signer> signer = signer(signed.get());
        if (signer.isEmpty() || !isOf(signer.get(), record, signed.get())) {
            drop(record, "bad_signature");
            return false;
        }
        return true;
    }

    private static boolean isOf(Signer signer, ConsumerRecord<String, byte[]> record, SignedReport signed) {
        int slash = record.key().indexOf('/');
        String node = slash < 0 ? record.key() : record.key().substring(0, slash);
        if (!node.equals(ResourceId.NODE.format(signer.nodeId()))) {
            return false;
        }
        try {
            Signature check = Signature.getInstance("SHA256withECDSA");
            check.initVerify(signer.certificate());
            check.update(SignedReport.text(record.topic(), record.key(), record.value()));
            return check.verify(signed.signature());
        } catch (SignatureException e) {
            // Not even the form of a signature.
            return false;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("a stored certificate cannot be used", e);
        }
    }

    private synchronized Optional<Signer> signer(SignedReport signed) {
        ByteBuffer hash = ByteBuffer.wrap(signed.certificateSha256());
        long age = System.nanoTime() - readAt;
        if (age >= STAY_FRESH.toNanos() || age >= LOOK_AGAIN.toNanos() && !signers.containsKey(hash)) {
            read();
            readAt = System.nanoTime();
        }
        return Optional.ofNullable(signers.get(hash));
    }

    private void read() {
        Map<ByteBuffer, Signer> known = signers;
        Map<ByteBuffer, Signer> now = new HashMap<>();
        Map<ByteBuffer, UUID> unknown = new HashMap<>();
        jdbc.sql("""
                        select c.certificate_sha256, c.node_id
                        from node_certificates c join nodes n on n.id = c.node_id
                        where c.state = 'issued' and c.revoked_at is null and c.expires_at > now()
                            and n.deleted_at is null""").query(row -> {
            ByteBuffer hash = ByteBuffer.wrap(row.getBytes(1));
            Signer signer = known.get(hash);
            if (signer == null) {
                unknown.put(hash, row.getObject(2, UUID.class));
            } else {
                now.put(hash, signer);
            }
        });
        unknown.forEach((hash, nodeId) -> jdbc.sql(
                        "select certificate from node_certificates where certificate_sha256 = ?")
                .param(hash.array())
                .query((row, n) -> row.getBytes(1))
                .optional()
                .ifPresent(der -> now.put(hash, new Signer(nodeId, certificate(der)))));
        signers = now;
    }

    private static X509Certificate certificate(byte[] der) {
        try {
            return (X509Certificate)
                    CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(der));
        } catch (CertificateException e) {
            throw new IllegalStateException("a stored certificate cannot be read", e);
        }
    }

    private void drop(ConsumerRecord<String, byte[]> record, String reason) {
        directory.drop(record.topic(), reason);
        synchronized (this) {
            // Whoever forges one report forges many.
            if (System.nanoTime() - saidAt < SAY_EACH.toNanos()) {
                return;
            }
            saidAt = System.nanoTime();
        }
        log.atWarn()
                .addKeyValue("topic", record.topic())
                .addKeyValue("key", record.key())
                .addKeyValue("reason", reason)
                .log("report was dropped: it is not signed by the node that it names");
    }
}
