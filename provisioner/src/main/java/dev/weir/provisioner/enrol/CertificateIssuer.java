// SPDX-License-Identifier: Apache-2.0
package dev.weir.provisioner.enrol;

import dev.weir.compiler.ResourceId;
import dev.weir.provisioner.Backoff;
import dev.weir.provisioner.ProvisionerProperties;
import dev.weir.provisioner.enrol.CertificateStore.Pending;
import dev.weir.provisioner.enrol.CertificateStore.Waiting;
import dev.weir.provisioner.kafka.Topics;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;
import org.springframework.stereotype.Component;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * Signs what nodes ask for. A node may use its topics before it has its certificate, so that the first thing it does with
 * it works. Instances that were given no key leave this to those that were.
 */
@Component
final class CertificateIssuer implements SmartLifecycle {
    private static final Logger log = LoggerFactory.getLogger(CertificateIssuer.class);
    private static final Duration LOOK_EACH = Duration.ofMillis(500);

    private final ProvisionerProperties.Authority settings;
    private final CertificateStore store;
    private final Topics topics;
    private final TransactionTemplate transactions;
    private final MeterRegistry meters;
    private final Clock clock;
    private volatile boolean running;
    private @Nullable Thread thread;

    CertificateIssuer(
            ProvisionerProperties properties,
            CertificateStore store,
            Topics topics,
            TransactionTemplate transactions,
            MeterRegistry meters,
            Clock clock) {
        this.settings = properties.authority();
        this.store = store;
        this.topics = topics;
        this.transactions = transactions;
        this.meters = meters;
        this.clock = clock;
    }

    @Override
    public void start() {
        if (!settings.signs()) {
            return;
        }
        try {
            Authority authority = Authority.load(Path.of(settings.cert()), Path.of(settings.key()), settings.life());
            running = true;
            thread = Thread.ofPlatform().name("certificate-issuer").start(() -> run(authority));
        } catch (IOException e) {
            throw new IllegalStateException("WEIR_CA_CERT and WEIR_CA_KEY cannot be used: " + e.getMessage(), e);
        }
    }

    private void run(Authority authority) {
        Backoff backoff = new Backoff(LOOK_EACH, Duration.ofSeconds(10), ThreadLocalRandom.current());
        while (running) {
            try {
                Duration pause = LOOK_EACH;
                try {
                    turn(authority);
                    backoff.reset();
                } catch (RuntimeException e) {
                    log.atWarn().addKeyValue("cause", e.toString()).log("certificates are not issued, trying on");
                    pause = backoff.next();
                }
                Thread.sleep(pause);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
    }

    private void turn(Authority authority) {
        List<Waiting> waiting = store.waiting();
        if (waiting.isEmpty()) {
            return;
        }
        topics.admit(waiting.stream()
                .map(asked -> ResourceId.NODE.format(asked.nodeId()))
                .distinct()
                .toList());
        for (Waiting asked : waiting) {
            transactions.executeWithoutResult(
                    status -> store.lock(asked.id()).ifPresent(pending -> settle(authority, pending)));
        }
        // Whoever was removed meanwhile may have been expelled before it was admitted.
        topics.expel(
                store.removed(waiting).stream().map(ResourceId.NODE::format).toList());
    }

    private void settle(Authority authority, Pending pending) {
        String nodeId = ResourceId.NODE.format(pending.nodeId());
        try {
            X509Certificate certificate = authority.sign(nodeId, pending.request(), clock.instant());
            byte[] der = certificate.getEncoded();
            store.forgetExpired(pending.nodeId());
            store.issue(
                    pending.id(),
                    der,
                    MessageDigest.getInstance("SHA-256").digest(der),
                    authority.certificate().getEncoded(),
                    certificate.getNotAfter().toInstant());
            if (pending.byToken()) {
                store.revokeOthers(pending.nodeId(), pending.id());
            }
            count("issued");
            log.atInfo()
                    .addKeyValue("node", nodeId)
                    .addKeyValue("serial", certificate.getSerialNumber().toString(16))
                    .addKeyValue("until", certificate.getNotAfter().toInstant())
                    .log("certificate issued");
        } catch (Authority.RefusedException e) {
            store.refuse(pending.id(), e.getMessage());
            count("refused");
            log.atWarn()
                    .addKeyValue("node", nodeId)
                    .addKeyValue("reason", e.getMessage())
                    .log("certificate request refused");
        } catch (CertificateEncodingException | NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private void count(String outcome) {
        meters.counter("weir_provisioner_certificates_total", "outcome", outcome)
                .increment();
    }

    @Override
    public void stop() {
        running = false;
        Thread current = thread;
        if (current != null) {
            current.interrupt();
        }
    }

    @Override
    public boolean isRunning() {
        return running;
    }
}
