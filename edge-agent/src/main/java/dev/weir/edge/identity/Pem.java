// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.identity;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** DER as text between lines that name its kind; a file may have several blocks, with other text around them. */
final class Pem {
    private static final Base64.Encoder ENCODER = Base64.getMimeEncoder(64, "\n".getBytes(StandardCharsets.US_ASCII));

    private Pem() {}

    static String encode(String kind, byte[] der) {
        return "-----BEGIN %1$s-----\n%2$s\n-----END %1$s-----\n".formatted(kind, ENCODER.encodeToString(der));
    }

    static List<byte[]> decode(String kind, String text) throws IOException {
        Matcher blocks = Pattern.compile("-----BEGIN %1$s-----([A-Za-z0-9+/=\\s]*)-----END %1$s-----".formatted(kind))
                .matcher(text);
        List<byte[]> found = new ArrayList<>();
        while (blocks.find()) {
            try {
                found.add(Base64.getDecoder().decode(blocks.group(1).replaceAll("\\s", "")));
            } catch (IllegalArgumentException e) {
                throw new IOException("a block " + kind + " is not Base64", e);
            }
        }
        return found;
    }

    /** In the order of the text; at least one. */
    static List<X509Certificate> certificates(String text) throws IOException {
        List<X509Certificate> certificates = new ArrayList<>();
        try {
            CertificateFactory factory = CertificateFactory.getInstance("X.509");
            for (byte[] der : decode("CERTIFICATE", text)) {
                certificates.add((X509Certificate) factory.generateCertificate(new ByteArrayInputStream(der)));
            }
        } catch (CertificateException e) {
            throw new IOException("a certificate can't be read", e);
        }
        if (certificates.isEmpty()) {
            throw new IOException("there is no certificate");
        }
        return certificates;
    }

    /** PKCS#8, not encrypted, of an elliptic curve. */
    static PrivateKey privateKey(String text) throws IOException {
        List<byte[]> found = decode("PRIVATE KEY", text);
        if (found.isEmpty()) {
            throw new IOException("there is no private key");
        }
        try {
            return KeyFactory.getInstance("EC").generatePrivate(new PKCS8EncodedKeySpec(found.getFirst()));
        } catch (GeneralSecurityException e) {
            throw new IOException("the private key is not one of an elliptic curve", e);
        }
    }
}
