// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.pki;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A certificate with its key, as PEM files.
 *
 * @param authority   the authority's certificate, to be trusted
 * @param certificate the certificate
 * @param key         its private key, PKCS#8, not encrypted
 * @param keyStore    key and certificate in one file, as Kafka wants them for {@code ssl.keystore.location}
 */
public record Certificate(Path authority, Path certificate, Path key, Path keyStore) {

    /** The certificate's text, as Kafka wants it for {@code ssl.keystore.certificate.chain}. */
    public String certificatePem() throws IOException {
        return Files.readString(certificate);
    }

    /** The key's text, as Kafka wants it for {@code ssl.keystore.key}. */
    public String keyPem() throws IOException {
        return Files.readString(key);
    }

    /** The authority's text, as Kafka wants it for {@code ssl.truststore.certificates}. */
    public String authorityPem() throws IOException {
        return Files.readString(authority);
    }
}
