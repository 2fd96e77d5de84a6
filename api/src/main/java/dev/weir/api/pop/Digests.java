// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.pop;

import java.io.ByteArrayInputStream;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.Signature;
import java.security.SignatureException;
import java.security.cert.CertificateFactory;

/** Hashes and signatures of enrolment. */
final class Digests {
    private Digests() {}

    static byte[] sha256(byte[] bytes) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(bytes);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /**
     * @param certificate DER, one that the service issued
     * @param signature ECDSA over the parts, one after the other; may be anything
     */
    static boolean isSignedBy(byte[] certificate, byte[] signature, byte[]... parts) {
        try {
            Signature check = Signature.getInstance("SHA256withECDSA");
            check.initVerify(
                    CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(certificate)));
            for (byte[] part : parts) {
                check.update(part);
            }
            return check.verify(signature);
        } catch (SignatureException e) {
            // Not even the form of a signature.
            return false;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("a stored certificate cannot be used", e);
        }
    }
}
