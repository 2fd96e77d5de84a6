// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.identity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.testbed.pki.Pki;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EnrolmentTests {
    private static final Duration SOON = Duration.ofSeconds(20);

    @TempDir
    Path directory;

    private FakeAuthority authority;
    private Path node;
    private Path token;

    @BeforeEach
    void start() throws IOException {
        Path ca = directory.resolve("ca");
        Pki.open(ca);
        authority = new FakeAuthority(ca, Duration.ofSeconds(6));
        node = directory.resolve("node.pem");
        token = Files.writeString(directory.resolve("token"), FakeAuthority.TOKEN + "\n");
    }

    @AfterEach
    void stop() {
        authority.close();
    }

    private EnrolmentSettings settings(URI api, @Nullable Path tokenFile) {
        return new EnrolmentSettings(
                FakeAuthority.NODE,
                FakeAuthority.POP,
                node,
                node,
                directory.resolve("kafka-ca.pem"),
                api,
                null,
                tokenFile);
    }

    private X509Certificate held() throws IOException {
        return new NodeIdentity(node, node).held().certificate();
    }

    @Test
    void tokenIsExchangedForACertificateAndGone() throws Exception {
        new Enrolment(settings(authority.url(), null)).enrol(token);

        assertThat(held().getSubjectX500Principal().getName()).isEqualTo("CN=" + FakeAuthority.NODE);
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(node)))
                .isEqualTo("rw-------");
        assertThat(directory.resolve("kafka-ca.pem")).exists();
        assertThat(token).doesNotExist();
        assertThat(authority.proofs).containsExactly("token");
    }

    @Test
    void refusalChangesNothing() throws IOException {
        Files.writeString(token, "wrong");

        assertThatThrownBy(() -> new Enrolment(settings(authority.url(), null)).enrol(token))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("401");
        assertThat(node).doesNotExist();
        assertThat(token).exists();
    }

    @Test
    void authorityThatIsTrustedAlreadyIsKept() throws Exception {
        Files.writeString(directory.resolve("kafka-ca.pem"), "chosen");

        new Enrolment(settings(authority.url(), null)).enrol(token);

        assertThat(directory.resolve("kafka-ca.pem")).hasContent("chosen");
    }

    @Test
    void keeperEnrolsAndThenRenewsAtTwoThirdsWithoutAnOperator() throws Exception {
        try (CertificateKeeper keeper = new CertificateKeeper(
                new Enrolment(settings(authority.url(), token)), Clock.systemUTC(), RandomGenerator.getDefault())) {
            keeper.start();
            await(() -> Files.exists(node));
            X509Certificate first = held();
            await(() -> !held().equals(first));
            X509Certificate second = held();

            assertThat(authority.proofs).startsWith("token", "certificate");
            assertThat(second.getPublicKey()).isNotEqualTo(first.getPublicKey());
            assertThat(second.getNotBefore().toInstant())
                    .isBetween(
                            first.getNotBefore().toInstant().plusSeconds(3),
                            first.getNotAfter().toInstant());
        }
    }

    @Test
    void keeperGoesOnTryingWhileTheApiIsAway() throws Exception {
        URI url = authority.url();
        authority.close();
        try (CertificateKeeper keeper = new CertificateKeeper(
                new Enrolment(settings(url, token)), Clock.systemUTC(), RandomGenerator.getDefault())) {
            keeper.start();
            Thread.sleep(500);
            assertThat(node).doesNotExist();
            assertThat(token).exists();
        }
    }

    @Test
    void aThirdOfTheLifeIsLeftToTryIn() throws Exception {
        new Enrolment(settings(authority.url(), null)).enrol(token);
        Instant from = held().getNotBefore().toInstant();

        assertThat(CertificateKeeper.renewAt(held())).isEqualTo(from.plusSeconds(4));
    }

    private interface Condition {
        boolean holds() throws IOException;
    }

    private static void await(Condition condition) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + SOON.toNanos();
        while (!condition.holds()) {
            assertThat(System.nanoTime()).as("in time").isLessThan(deadline);
            Thread.sleep(50);
        }
    }
}
