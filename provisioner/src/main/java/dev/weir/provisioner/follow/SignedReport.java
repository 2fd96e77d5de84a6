// SPDX-License-Identifier: Apache-2.0
package dev.weir.provisioner.follow;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;

/**
 * A report's header {@code weir-signature}, as {@code openapi/messages/topics.md} has it.
 *
 * @param certificateSha256 of the certificate whose key signed
 * @param signature ECDSA with SHA-256, DER
 */
record SignedReport(byte[] certificateSha256, byte[] signature) {
    private static final String HEADER = "weir-signature";
    private static final byte VERSION = 1;
    private static final int SHA256_BYTES = 32;
    private static final byte[] DOMAIN = "weir-report-v1".getBytes(StandardCharsets.US_ASCII);

    /** @return empty if there is no such header, or one that means nothing */
    static Optional<SignedReport> of(ConsumerRecord<String, byte[]> record) {
        Header header = record.headers().lastHeader(HEADER);
        byte[] value = header == null ? null : header.value();
        if (value == null || value.length <= 1 + SHA256_BYTES || value[0] != VERSION) {
            return Optional.empty();
        }
        return Optional.of(new SignedReport(
                Arrays.copyOfRange(value, 1, 1 + SHA256_BYTES),
                Arrays.copyOfRange(value, 1 + SHA256_BYTES, value.length)));
    }

    /** What is signed: a report says the same in no other topic and under no other key. */
    static byte[] text(String topic, String key, byte[] value) {
        byte[] topicBytes = topic.getBytes(StandardCharsets.UTF_8);
        byte[] keyBytes = key.getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(
                        DOMAIN.length + 3 * Integer.BYTES + topicBytes.length + keyBytes.length + value.length)
                .put(DOMAIN)
                .putInt(topicBytes.length)
                .put(topicBytes)
                .putInt(keyBytes.length)
                .put(keyBytes)
                .putInt(value.length)
                .put(value)
                .array();
    }
}
