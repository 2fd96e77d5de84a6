// SPDX-License-Identifier: Apache-2.0
package dev.weir.provisioner.enrol;

import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.InvalidKeyException;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.security.interfaces.ECPublicKey;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.Set;
import org.bouncycastle.asn1.ASN1Encodable;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.asn1.sec.SECObjectIdentifiers;
import org.bouncycastle.asn1.x500.RDN;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x500.X500NameBuilder;
import org.bouncycastle.asn1.x500.style.BCStyle;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.Extensions;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.asn1.x9.X9ObjectIdentifiers;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509ExtensionUtils;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.openssl.PEMKeyPair;
import org.bouncycastle.openssl.PEMParser;
import org.bouncycastle.openssl.jcajce.JcaPEMKeyConverter;
import org.bouncycastle.operator.ContentVerifierProvider;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.operator.jcajce.JcaContentVerifierProviderBuilder;
import org.bouncycastle.pkcs.PKCS10CertificationRequest;
import org.bouncycastle.pkcs.PKCSException;
import org.bouncycastle.pkcs.jcajce.JcaPKCS10CertificationRequest;

/**
 * Signs nodes' certificates. Whatever a request asks for, its certificate names the node and lets its holder be a client;
 * of the request only the key is taken. A request that wants another name is refused all the same, since whoever made it
 * is mistaken or worse.
 */
final class Authority {
    private static final int MAX_REQUEST_BYTES = 4096;
    private static final Duration CLOCKS_DIFFER_BY = Duration.ofMinutes(5);
    private static final int SERIAL_BITS = 120;
    private static final Set<ASN1ObjectIdentifier> CURVES =
            Set.of(SECObjectIdentifiers.secp256r1, SECObjectIdentifiers.secp384r1);

    private final X509Certificate certificate;
    private final PrivateKey key;
    private final Duration life;
    private final SecureRandom random = new SecureRandom();

    /** @param life of the certificates that it issues */
    Authority(X509Certificate certificate, PrivateKey key, Duration life) {
        this.certificate = certificate;
        this.key = key;
        this.life = life;
    }

    /** A request is not signed, for this reason. */
    static final class RefusedException extends Exception {
        private static final long serialVersionUID = 1L;

        RefusedException(String reason) {
            super(reason);
        }

        @Override
        public String getMessage() {
            return String.valueOf(super.getMessage());
        }
    }

    /**
     * @param certificateFile PEM
     * @param keyFile PEM, EC or RSA, not encrypted
     */
    static Authority load(Path certificateFile, Path keyFile, Duration life) throws IOException {
        try {
            X509Certificate certificate = new JcaX509CertificateConverter()
                    .getCertificate(read(certificateFile, X509CertificateHolder.class));
            PrivateKey key = new JcaPEMKeyConverter().getPrivateKey(privateKey(keyFile));
            if (certificate.getBasicConstraints() < 0) {
                throw new IOException(certificateFile + " is not the certificate of an authority");
            }
            return new Authority(certificate, key, life);
        } catch (GeneralSecurityException e) {
            throw new IOException("cannot use " + certificateFile, e);
        }
    }

    private static PrivateKeyInfo privateKey(Path file) throws IOException {
        Object found = read(file, Object.class);
        return switch (found) {
            case PrivateKeyInfo info -> info;
            case PEMKeyPair pair -> pair.getPrivateKeyInfo();
            default -> throw new IOException(file + " holds no private key that is not encrypted");
        };
    }

    private static <T> T read(Path file, Class<T> type) throws IOException {
        try (PEMParser parser = new PEMParser(Files.newBufferedReader(file))) {
            Object found = parser.readObject();
            if (!type.isInstance(found)) {
                throw new IOException(file + " does not begin with what is expected in it");
            }
            return type.cast(found);
        }
    }

    X509Certificate certificate() {
        return certificate;
    }

    /**
     * @param nodeId becomes the common name
     * @param request PKCS#10, DER; may be anything
     */
    X509Certificate sign(String nodeId, byte[] request, Instant now) throws RefusedException {
        PublicKey nodeKey = checkedKey(nodeId, request);
        X500Name issuer =
                X500Name.getInstance(certificate.getSubjectX500Principal().getEncoded());
        try {
            JcaX509ExtensionUtils extensions = new JcaX509ExtensionUtils();
            Instant end = now.plus(life);
            Instant authoritysEnd = certificate.getNotAfter().toInstant();
            JcaX509v3CertificateBuilder builder = new JcaX509v3CertificateBuilder(
                    issuer,
                    new BigInteger(SERIAL_BITS, random).setBit(SERIAL_BITS),
                    Date.from(now.minus(CLOCKS_DIFFER_BY)),
                    Date.from(end.isBefore(authoritysEnd) ? end : authoritysEnd),
                    new X500NameBuilder().addRDN(BCStyle.CN, nodeId).build(),
                    nodeKey);
            builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(false));
            builder.addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.digitalSignature));
            builder.addExtension(
                    Extension.extendedKeyUsage, false, new ExtendedKeyUsage(KeyPurposeId.id_kp_clientAuth));
            builder.addExtension(
                    Extension.subjectAlternativeName,
                    false,
                    new GeneralNames(new GeneralName(GeneralName.dNSName, nodeId)));
            builder.addExtension(
                    Extension.authorityKeyIdentifier,
                    false,
                    extensions.createAuthorityKeyIdentifier(certificate.getPublicKey()));
            String algorithm = key.getAlgorithm().equals("RSA") ? "SHA256withRSA" : "SHA256withECDSA";
            return new JcaX509CertificateConverter()
                    .getCertificate(builder.build(new JcaContentSignerBuilder(algorithm).build(key)));
        } catch (GeneralSecurityException | OperatorCreationException | IOException e) {
            throw new IllegalStateException("the authority cannot sign", e);
        }
    }

    private static PublicKey checkedKey(String nodeId, byte[] request) throws RefusedException {
        if (request.length > MAX_REQUEST_BYTES) {
            throw new RefusedException("the request is longer than " + MAX_REQUEST_BYTES + " bytes");
        }
        try {
            JcaPKCS10CertificationRequest parsed = new JcaPKCS10CertificationRequest(request);
            checkCurve(parsed.getSubjectPublicKeyInfo());
            PublicKey key = parsed.getPublicKey();
            if (!(key instanceof ECPublicKey)) {
                throw new RefusedException("the key must be of P-256 or P-384");
            }
            checkNames(nodeId, parsed);
            ContentVerifierProvider verifier = new JcaContentVerifierProviderBuilder().build(key);
            if (!parsed.isSignatureValid(verifier)) {
                throw new RefusedException("the request is not signed by its own key");
            }
            return key;
        } catch (IOException
                | PKCSException
                | OperatorCreationException
                | InvalidKeyException
                | java.security.NoSuchAlgorithmException
                // What the parser says to bytes that are no request at all.
                | IllegalArgumentException
                | ClassCastException
                | IllegalStateException e) {
            throw new RefusedException("the request is not sound PKCS#10");
        }
    }

    private static void checkCurve(SubjectPublicKeyInfo key) throws RefusedException {
        ASN1Encodable curve = key.getAlgorithm().getParameters();
        boolean elliptic = key.getAlgorithm().getAlgorithm().equals(X9ObjectIdentifiers.id_ecPublicKey);
        if (!elliptic || !(curve instanceof ASN1ObjectIdentifier named) || !CURVES.contains(named)) {
            throw new RefusedException("the key must be of P-256 or P-384");
        }
    }

    private static void checkNames(String nodeId, PKCS10CertificationRequest request) throws RefusedException {
        RDN[] subject = request.getSubject().getRDNs();
        boolean own = subject.length == 0
                || subject.length == 1
                        && !subject[0].isMultiValued()
                        && subject[0].getFirst().getType().equals(BCStyle.CN)
                        && subject[0].getFirst().getValue().toString().equals(nodeId);
        if (!own) {
            throw new RefusedException("the request names another subject than " + nodeId);
        }
        Extensions wanted = request.getRequestedExtensions();
        GeneralNames names =
                wanted == null ? null : GeneralNames.fromExtensions(wanted, Extension.subjectAlternativeName);
        if (names != null) {
            for (GeneralName name : names.getNames()) {
                if (name.getTagNo() != GeneralName.dNSName
                        || !name.getName().toString().equals(nodeId)) {
                    throw new RefusedException("the request names another host than " + nodeId);
                }
            }
        }
    }
}
