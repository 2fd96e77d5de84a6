// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.identity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.testbed.pki.Certificate;
import dev.weir.testbed.pki.Pki;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.Signature;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NodeIdentityTests {
    private static final byte[] VALUE = {1, 2, 3};

    @TempDir
    Path directory;

    @Test
    void reportsAreSignedByTheCertificateThatTheyName() throws Exception {
        Certificate issued = Pki.open(directory).issue("node_1", List.of());
        NodeIdentity identity = new NodeIdentity(issued.certificate(), issued.key());

        byte[] header = identity.signReport("weir.watermarks.v1", "node_1", VALUE);

        byte[] der = identity.held().certificate().getEncoded();
        assertThat(header[0]).isEqualTo((byte) 1);
        assertThat(Arrays.copyOfRange(header, 1, 33))
                .isEqualTo(MessageDigest.getInstance("SHA-256").digest(der));
        Signature check = Signature.getInstance("SHA256withECDSA");
        check.initVerify(identity.held().certificate());
        check.update(NodeIdentity.reportText("weir.watermarks.v1", "node_1", VALUE));
        assertThat(check.verify(Arrays.copyOfRange(header, 33, header.length))).isTrue();
    }

    /** The provisioner's tests have the same bytes. */
    @Test
    void whatIsSignedIsWhatTheProvisionerChecks() {
        byte[] text = NodeIdentity.reportText("weir.health.v1", "node_1/lb_2", VALUE);

        assertThat(HexFormat.of().formatHex(text))
                .isEqualTo(HexFormat.of().formatHex("weir-report-v1".getBytes(StandardCharsets.US_ASCII))
                        + "0000000e" + HexFormat.of().formatHex("weir.health.v1".getBytes(StandardCharsets.US_ASCII))
                        + "0000000b" + HexFormat.of().formatHex("node_1/lb_2".getBytes(StandardCharsets.US_ASCII))
                        + "00000003010203");
    }

    @Test
    void renewedPairIsUsedOnceBothFilesAreThere() throws IOException {
        Certificate first = Pki.open(directory.resolve("a")).issue("node_1", List.of());
        Certificate second = Pki.open(directory.resolve("b")).issue("node_1", List.of());
        Path certificate = Files.copy(first.certificate(), directory.resolve("node.crt"));
        Path key = Files.copy(first.key(), directory.resolve("node.key"));
        NodeIdentity identity = new NodeIdentity(certificate, key);
        byte[] before = identity.held().sha256();

        Files.copy(second.key(), key, StandardCopyOption.REPLACE_EXISTING);
        identity.lookAgain();
        byte[] between = identity.held().sha256();
        Files.copy(second.certificate(), certificate, StandardCopyOption.REPLACE_EXISTING);
        identity.lookAgain();
        byte[] after = identity.held().sha256();

        assertThat(between).isEqualTo(before);
        assertThat(after).isNotEqualTo(before);
    }

    @Test
    void keyOfAnotherCertificateIsRefused() throws IOException {
        Certificate one = Pki.open(directory).issue("node_1", List.of());
        Certificate other = Pki.open(directory).issue("node_2", List.of());

        assertThatThrownBy(() -> new NodeIdentity(one.certificate(), other.key()).held())
                .isInstanceOf(IOException.class)
                .hasMessageContaining("is not the key of");
    }
}
