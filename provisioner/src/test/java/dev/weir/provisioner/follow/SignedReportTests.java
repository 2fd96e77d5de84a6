// SPDX-License-Identifier: Apache-2.0
package dev.weir.provisioner.follow;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.Test;

class SignedReportTests {
    private static ConsumerRecord<String, byte[]> record(byte... header) {
        ConsumerRecord<String, byte[]> record =
                new ConsumerRecord<>("weir.health.v1", 0, 0, "node_1/lb_2", new byte[] {1, 2, 3});
        record.headers().add("weir-signature", header);
        return record;
    }

    /** The agent's tests have the same bytes. */
    @Test
    void whatIsCheckedIsWhatTheAgentSigns() {
        byte[] text = SignedReport.text("weir.health.v1", "node_1/lb_2", new byte[] {1, 2, 3});

        assertThat(HexFormat.of().formatHex(text))
                .isEqualTo(HexFormat.of().formatHex("weir-report-v1".getBytes(StandardCharsets.US_ASCII))
                        + "0000000e" + HexFormat.of().formatHex("weir.health.v1".getBytes(StandardCharsets.US_ASCII))
                        + "0000000b" + HexFormat.of().formatHex("node_1/lb_2".getBytes(StandardCharsets.US_ASCII))
                        + "00000003010203");
    }

    @Test
    void headerIsVersionThenCertificateThenSignature() {
        byte[] header = new byte[36];
        header[0] = 1;
        header[1] = 7;
        header[35] = 9;

        SignedReport signed = SignedReport.of(record(header)).orElseThrow();

        assertThat(signed.certificateSha256()).hasSize(32).startsWith(7);
        assertThat(signed.signature()).containsExactly(0, 0, 9);
    }

    @Test
    void headerThatIsShortOrOfAnotherVersionMeansNothing() {
        byte[] otherVersion = new byte[64];
        otherVersion[0] = 2;
        byte[] noSignature = new byte[33];
        noSignature[0] = 1;

        assertThat(SignedReport.of(record())).isEmpty();
        assertThat(SignedReport.of(record(noSignature))).isEmpty();
        assertThat(SignedReport.of(record(otherVersion))).isEmpty();
        assertThat(SignedReport.of(new ConsumerRecord<>("weir.health.v1", 0, 0, "k", new byte[0])))
                .isEmpty();
    }
}
