// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.identity;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the node's certificate good, from a thread of its own: gets the first one where an operator left a token, and
 * renews at two thirds of its life. The rest of the agent goes on meanwhile, and with what it has if this fails.
 */
public final class CertificateKeeper implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(CertificateKeeper.class);
    private static final Duration LONGEST_SLEEP = Duration.ofHours(1);
    private static final Duration FIRST_PAUSE = Duration.ofSeconds(2);
    private static final Duration LONGEST_PAUSE = Duration.ofMinutes(5);
    private static final Duration LOOK_FOR_TOKEN_EACH = Duration.ofSeconds(5);

    private final Enrolment enrolment;
    private final Clock clock;
    private final RandomGenerator random;
    private final Thread thread;

    public CertificateKeeper(Enrolment enrolment, Clock clock, RandomGenerator random) {
        this.enrolment = enrolment;
        this.clock = clock;
        this.random = random;
        this.thread = Thread.ofPlatform().daemon().name("certificate").unstarted(this::run);
    }

    public void start() {
        thread.start();
    }

    @Override
    public void close() throws InterruptedException {
        thread.interrupt();
        thread.join();
    }

    /** When a certificate is to be renewed: with a third of its life left to try in. */
    static Instant renewAt(X509Certificate certificate) {
        Instant from = certificate.getNotBefore().toInstant();
        Duration life = Duration.between(from, certificate.getNotAfter().toInstant());
        return from.plus(life.multipliedBy(2).dividedBy(3));
    }

    private void run() {
        Duration pause = FIRST_PAUSE;
        while (true) {
            try {
                Duration sleep;
                try {
                    sleep = turn();
                    pause = FIRST_PAUSE;
                } catch (IOException e) {
                    log.atWarn().addKeyValue("reason", e.getMessage()).log("no new certificate, trying on");
                    // Nodes that were set up together do not come together.
                    sleep = Duration.ofMillis(pause.toMillis() / 2 + random.nextLong(pause.toMillis() / 2 + 1));
                    Duration doubled = pause.multipliedBy(2);
                    pause = doubled.compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : doubled;
                }
                Thread.sleep(sleep);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
    }

    /** @return how long nothing is to be done */
    private Duration turn() throws IOException, InterruptedException {
        Path token = enrolment.settings().tokenFile();
        if (token != null && Files.exists(token)) {
            // Also with a certificate: an operator who leaves a token wants the node to begin anew.
            enrolment.enrol(token);
        } else if (!Files.exists(enrolment.settings().certificate())) {
            return LOOK_FOR_TOKEN_EACH;
        }
        Instant renewAt = renewAt(enrolment.identity().held().certificate());
        if (!clock.instant().isBefore(renewAt)) {
            enrolment.renew();
            return Duration.ofMillis(NodeIdentity.LOOK_EACH_MS);
        }
        Duration left = Duration.between(clock.instant(), renewAt).plusMillis(1);
        return left.compareTo(LONGEST_SLEEP) > 0 ? LONGEST_SLEEP : left;
    }
}
