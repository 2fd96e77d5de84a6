// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.identity;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.security.spec.ECGenParameterSpec;

/**
 * A PKCS#10 request for a certificate of a new key (RFC 2986). The JDK has no public way to make one, and what a node
 * asks for is always the same: a name, a P-256 key, no attributes.
 *
 * @param keys made on this node; the private one never leaves it
 * @param der the request, signed by its own key
 */
record CertificateRequest(KeyPair keys, byte[] der) {
    private static final int INTEGER = 0x02;
    private static final int BIT_STRING = 0x03;
    private static final int UTF8_STRING = 0x0c;
    private static final int SEQUENCE = 0x30;
    private static final int SET = 0x31;
    private static final int NO_ATTRIBUTES = 0xa0;
    /** 2.5.4.3 */
    private static final byte[] COMMON_NAME = {0x06, 0x03, 0x55, 0x04, 0x03};
    /** 1.2.840.10045.4.3.2 */
    private static final byte[] ECDSA_WITH_SHA256 = {
        0x06, 0x08, 0x2a, (byte) 0x86, 0x48, (byte) 0xce, 0x3d, 0x04, 0x03, 0x02
    };

    /** Makes a new key. */
    static CertificateRequest of(String commonName) {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
            generator.initialize(new ECGenParameterSpec("secp256r1"));
            KeyPair keys = generator.generateKeyPair();
            return new CertificateRequest(keys, request(commonName, keys));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this Java knows no P-256", e);
        }
    }

    private static byte[] request(String commonName, KeyPair keys) throws GeneralSecurityException {
        byte[] name = der(
                SEQUENCE,
                der(SET, der(SEQUENCE, COMMON_NAME, der(UTF8_STRING, commonName.getBytes(StandardCharsets.UTF_8)))));
        // A public key's encoded form is the SubjectPublicKeyInfo.
        byte[] info = der(
                SEQUENCE, der(INTEGER, new byte[] {0}), name, keys.getPublic().getEncoded(), der(NO_ATTRIBUTES));
        Signature signer = Signature.getInstance("SHA256withECDSA");
        signer.initSign(keys.getPrivate());
        signer.update(info);
        return der(SEQUENCE, info, der(SEQUENCE, ECDSA_WITH_SHA256), der(BIT_STRING, new byte[] {0}, signer.sign()));
    }

    /** Tag, length, contents. */
    private static byte[] der(int tag, byte[]... contents) {
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        for (byte[] content : contents) {
            body.writeBytes(content);
        }
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(tag);
        if (body.size() < 0x80) {
            out.write(body.size());
        } else if (body.size() < 0x100) {
            out.write(0x81);
            out.write(body.size());
        } else {
            out.write(0x82);
            out.write(body.size() >> 8);
            out.write(body.size());
        }
        out.writeBytes(body.toByteArray());
        return out.toByteArray();
    }

    String pem() {
        return Pem.encode("CERTIFICATE REQUEST", der);
    }
}
