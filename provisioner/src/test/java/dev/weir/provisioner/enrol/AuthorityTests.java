// SPDX-License-Identifier: Apache-2.0
package dev.weir.provisioner.enrol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.testbed.pki.Pki;
import java.io.IOException;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import javax.security.auth.x500.X500Principal;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.ExtensionsGenerator;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.pkcs.PKCS10CertificationRequest;
import org.bouncycastle.pkcs.PKCS10CertificationRequestBuilder;
import org.bouncycastle.pkcs.jcajce.JcaPKCS10CertificationRequestBuilder;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AuthorityTests {
    private static final String NODE = "node_019ab1c2d3e47f0081920a1b2c3d4e5f";
    private static final Instant NOW = Instant.now();

    @TempDir
    static Path directory;

    private static Authority authority;

    @BeforeAll
    static void makeAuthority() throws IOException {
        Pki pki = Pki.open(directory);
        authority = Authority.load(pki.authorityFile(), pki.authorityKeyFile(), Duration.ofDays(30));
    }

    private static KeyPair key(String curve) throws Exception {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(new ECGenParameterSpec(curve));
        return generator.generateKeyPair();
    }

    private static byte[] request(String subject, KeyPair keys, @Nullable GeneralNames names) throws Exception {
        PKCS10CertificationRequestBuilder builder =
                new JcaPKCS10CertificationRequestBuilder(new X500Principal(subject), keys.getPublic());
        ExtensionsGenerator wanted = new ExtensionsGenerator();
        wanted.addExtension(Extension.basicConstraints, true, new BasicConstraints(true));
        if (names != null) {
            wanted.addExtension(Extension.subjectAlternativeName, false, names);
        }
        builder.addAttribute(PKCSObjectIdentifiers.pkcs_9_at_extensionRequest, wanted.generate());
        String algorithm = keys.getPrivate().getAlgorithm().equals("RSA") ? "SHA256withRSA" : "SHA256withECDSA";
        PKCS10CertificationRequest request =
                builder.build(new JcaContentSignerBuilder(algorithm).build(keys.getPrivate()));
        return request.getEncoded();
    }

    @ParameterizedTest
    @ValueSource(strings = {"secp256r1", "secp384r1"})
    void certificateNamesTheNodeAndNothingThatTheRequestWantsBesides(String curve) throws Exception {
        KeyPair keys = key(curve);

        X509Certificate certificate = authority.sign(NODE, request("", keys, null), NOW);

        certificate.verify(authority.certificate().getPublicKey());
        assertThat(certificate.getSubjectX500Principal().getName()).isEqualTo("CN=" + NODE);
        assertThat(certificate.getSubjectAlternativeNames()).containsExactly(List.of(GeneralName.dNSName, NODE));
        assertThat(certificate.getPublicKey()).isEqualTo(keys.getPublic());
        assertThat(certificate.getBasicConstraints()).as("not an authority").isEqualTo(-1);
        assertThat(certificate.getExtendedKeyUsage()).containsExactly("1.3.6.1.5.5.7.3.2");
        assertThat(Duration.between(NOW, certificate.getNotAfter().toInstant()))
                .isBetween(Duration.ofDays(30).minusSeconds(1), Duration.ofDays(30));
    }

    @Test
    void ownNameInTheRequestIsTaken() throws Exception {
        byte[] request =
                request("CN=" + NODE, key("secp256r1"), new GeneralNames(new GeneralName(GeneralName.dNSName, NODE)));

        assertThat(authority.sign(NODE, request, NOW)).isNotNull();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "CN=node_019ab1c2d3e47f0081920a1b2c3d4e60",
                "CN=provisioner",
                "CN=" + NODE + ",O=other",
                "CN=" + NODE + "+CN=provisioner",
                "O=" + NODE
            })
    void requestInAnothersNameIsRefused(String subject) throws Exception {
        byte[] request = request(subject, key("secp256r1"), null);

        assertThatThrownBy(() -> authority.sign(NODE, request, NOW))
                .isInstanceOf(Authority.RefusedException.class)
                .hasMessageContaining("another subject");
    }

    @Test
    void requestForAnothersHostIsRefused() throws Exception {
        GeneralNames names = new GeneralNames(new GeneralName[] {
            new GeneralName(GeneralName.dNSName, NODE), new GeneralName(GeneralName.iPAddress, "10.0.0.1")
        });
        byte[] request = request("CN=" + NODE, key("secp256r1"), names);

        assertThatThrownBy(() -> authority.sign(NODE, request, NOW))
                .isInstanceOf(Authority.RefusedException.class)
                .hasMessageContaining("another host");
    }

    @Test
    void keysOfOtherKindsAreRefused() throws Exception {
        KeyPairGenerator rsa = KeyPairGenerator.getInstance("RSA");
        rsa.initialize(1024);

        for (KeyPair keys : List.of(rsa.generateKeyPair(), key("secp521r1"))) {
            byte[] request = request("CN=" + NODE, keys, null);

            assertThatThrownBy(() -> authority.sign(NODE, request, NOW))
                    .isInstanceOf(Authority.RefusedException.class)
                    .hasMessageContaining("P-256");
        }
    }

    @Test
    void requestThatItsKeyDidNotSignIsRefused() throws Exception {
        byte[] request = request("CN=" + NODE, key("secp256r1"), null);
        byte[] forged = new PKCS10CertificationRequestBuilder(
                        new PKCS10CertificationRequest(request).getSubject(),
                        new PKCS10CertificationRequest(request).getSubjectPublicKeyInfo())
                .build(new JcaContentSignerBuilder("SHA256withECDSA")
                        .build(key("secp256r1").getPrivate()))
                .getEncoded();

        assertThatThrownBy(() -> authority.sign(NODE, forged, NOW))
                .isInstanceOf(Authority.RefusedException.class)
                .hasMessageContaining("not signed by its own key");
    }

    @Test
    void longRequestIsNotEvenParsed() {
        assertThatThrownBy(() -> authority.sign(NODE, new byte[4097], NOW))
                .isInstanceOf(Authority.RefusedException.class)
                .hasMessageContaining("longer");
    }

    /**
     * Whatever bytes come, the answer is a refusal, never another exception. A few kinds of damage leave what is signed as
     * it was, such as a length that is written in another way; their certificate is the sound request's.
     */
    @Test
    void damagedRequestsAreRefused() throws Exception {
        KeyPair pair = key("secp256r1");
        byte[] sound = request("CN=" + NODE, pair, null);
        Random random = new Random(7);
        int refused = 0;
        for (int i = 0; i < 2_000; i++) {
            byte[] damaged = random.nextBoolean() ? sound.clone() : Arrays.copyOf(sound, random.nextInt(sound.length));
            if (damaged.length > 0) {
                damaged[random.nextInt(damaged.length)] ^= (byte) (1 + random.nextInt(255));
            }
            try {
                assertThat(authority.sign(NODE, damaged, NOW).getPublicKey()).isEqualTo(pair.getPublic());
            } catch (Authority.RefusedException e) {
                refused++;
            }
        }

        assertThat(refused).isGreaterThan(1_950);
    }

    @Test
    void certificateDoesNotOutliveTheAuthority() throws Exception {
        Pki pki = Pki.open(directory);
        Authority generous = Authority.load(pki.authorityFile(), pki.authorityKeyFile(), Duration.ofDays(4000));

        X509Certificate certificate = generous.sign(NODE, request("", key("secp256r1"), null), NOW);

        assertThat(certificate.getNotAfter()).isEqualTo(generous.certificate().getNotAfter());
    }
}
