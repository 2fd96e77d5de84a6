// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.pki;

import java.io.IOException;
import java.io.StringReader;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.Date;
import java.util.List;
import java.util.Set;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x500.X500NameBuilder;
import org.bouncycastle.asn1.x500.style.BCStyle;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.X509v3CertificateBuilder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.openssl.PEMParser;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/**
 * An authority that issues certificates for Kafka's mutual TLS, kept in one directory.
 *
 * <p>Keys are P-256. A certificate that exists is given out again until half of its life is over. Thread-safe within a process.
 */
public final class Pki {
    private static final Duration LIFE = Duration.ofDays(365);
    private static final String SIGNATURE = "SHA256withECDSA";

    private final Path directory;
    private final X509Certificate authority;
    private final PrivateKey authorityKey;

    private Pki(Path directory, X509Certificate authority, PrivateKey authorityKey) {
        this.directory = directory;
        this.authority = authority;
        this.authorityKey = authorityKey;
    }

    /** Opens the authority in a directory, or makes it there. */
    public static Pki open(Path directory) throws IOException {
        try {
            Files.createDirectories(directory);
            Path certificate = directory.resolve("ca.crt");
            Path key = directory.resolve("ca.key");
            if (!Files.exists(certificate) || expiresSoon(readCertificate(certificate))) {
                KeyPair pair = newKeyPair();
                X500Name name = commonName("weir testbed authority");
                X509v3CertificateBuilder builder = builder(name, name, pair);
                builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(0));
                builder.addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.keyCertSign | KeyUsage.cRLSign));
                writeSecret(key, pem("PRIVATE KEY", pair.getPrivate().getEncoded()));
                Files.writeString(
                        certificate,
                        pem("CERTIFICATE", sign(builder, pair.getPrivate()).getEncoded()));
            }
            return new Pki(directory, readCertificate(certificate), readKey(key));
        } catch (GeneralSecurityException | OperatorCreationException e) {
            throw new IOException("could not make the authority in " + directory, e);
        }
    }

    /** The authority's own certificate. */
    public Path authorityFile() {
        return directory.resolve("ca.crt");
    }

    /** Its private key, for another who signs in its name. */
    public Path authorityKeyFile() {
        return directory.resolve("ca.key");
    }

    /**
     * A certificate for clients and servers.
     *
     * @param commonName becomes Kafka's principal {@code User:<common name>}
     * @param addresses  IPv4 addresses that a server answers on; {@code localhost} is always named
     */
    public synchronized Certificate issue(String commonName, List<String> addresses) throws IOException {
        Path certificateFile = directory.resolve(commonName + ".crt");
        Path keyFile = directory.resolve(commonName + ".key");
        Path keyStoreFile = directory.resolve(commonName + ".pem");
        Certificate result = new Certificate(authorityFile(), certificateFile, keyFile, keyStoreFile);
        try {
            if (Files.exists(keyStoreFile)) {
                X509Certificate existing = readCertificate(certificateFile);
                if (!expiresSoon(existing) && isOurs(existing) && names(existing, addresses)) {
                    return result;
                }
            }
            KeyPair pair = newKeyPair();
            X509v3CertificateBuilder builder =
                    builder(new X500Name(authority.getSubjectX500Principal().getName()), commonName(commonName), pair);
            builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(false));
            builder.addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.digitalSignature));
            builder.addExtension(Extension.extendedKeyUsage, false, new ExtendedKeyUsage(new KeyPurposeId[] {
                KeyPurposeId.id_kp_clientAuth, KeyPurposeId.id_kp_serverAuth
            }));
            builder.addExtension(Extension.subjectAlternativeName, false, subjectNames(addresses));
            String key = pem("PRIVATE KEY", pair.getPrivate().getEncoded());
            String certificate = pem("CERTIFICATE", sign(builder, authorityKey).getEncoded());
            writeSecret(keyFile, key);
            Files.writeString(certificateFile, certificate);
            writeSecret(keyStoreFile, key + certificate);
            return result;
        } catch (GeneralSecurityException | OperatorCreationException e) {
            throw new IOException("could not issue a certificate for " + commonName, e);
        }
    }

    /** Whether a file has a certificate of this authority for the name, with more than half of its life left. */
    public boolean issued(Path file, String commonName) throws IOException {
        if (!Files.exists(file)) {
            return false;
        }
        try {
            String text = Files.readString(file);
            int begin = text.indexOf("-----BEGIN CERTIFICATE-----");
            if (begin < 0) {
                return false;
            }
            X509Certificate certificate = parse(text.substring(begin), file);
            Instant from = certificate.getNotBefore().toInstant();
            Instant until = certificate.getNotAfter().toInstant();
            return isOurs(certificate)
                    && certificate.getSubjectX500Principal().getName().equals("CN=" + commonName)
                    && Instant.now()
                            .isBefore(from.plus(Duration.between(from, until).dividedBy(2)));
        } catch (GeneralSecurityException e) {
            throw new IOException("could not read " + file, e);
        }
    }

    private boolean isOurs(X509Certificate certificate) {
        try {
            certificate.verify(authority.getPublicKey());
            return true;
        } catch (GeneralSecurityException _) {
            return false;
        }
    }

    private static boolean names(X509Certificate certificate, List<String> addresses) throws GeneralSecurityException {
        var named = certificate.getSubjectAlternativeNames();
        return named != null
                && addresses.stream().allMatch(address -> named.stream().anyMatch(name -> name.contains(address)));
    }

    private static GeneralNames subjectNames(List<String> addresses) {
        GeneralName[] names = new GeneralName[addresses.size() + 1];
        names[0] = new GeneralName(GeneralName.dNSName, "localhost");
        for (int i = 0; i < addresses.size(); i++) {
            names[i + 1] = new GeneralName(GeneralName.iPAddress, addresses.get(i));
        }
        return new GeneralNames(names);
    }

    private static KeyPair newKeyPair() throws GeneralSecurityException {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(new ECGenParameterSpec("secp256r1"));
        return generator.generateKeyPair();
    }

    private static X509v3CertificateBuilder builder(X500Name issuer, X500Name subject, KeyPair pair) {
        Instant now = Instant.now();
        return new JcaX509v3CertificateBuilder(
                issuer,
                new BigInteger(120, new SecureRandom()),
                Date.from(now.minus(Duration.ofHours(1))),
                Date.from(now.plus(LIFE)),
                subject,
                pair.getPublic());
    }

    private static X509Certificate sign(X509v3CertificateBuilder builder, PrivateKey key)
            throws OperatorCreationException, GeneralSecurityException {
        X509CertificateHolder holder = builder.build(new JcaContentSignerBuilder(SIGNATURE).build(key));
        return new JcaX509CertificateConverter().getCertificate(holder);
    }

    private static X500Name commonName(String name) {
        return new X500NameBuilder().addRDN(BCStyle.CN, name).build();
    }

    private static boolean expiresSoon(X509Certificate certificate) {
        return certificate.getNotAfter().toInstant().isBefore(Instant.now().plus(LIFE.dividedBy(2)));
    }

    private static X509Certificate readCertificate(Path file) throws IOException, GeneralSecurityException {
        return parse(Files.readString(file), file);
    }

    private static X509Certificate parse(String text, Path file) throws IOException, GeneralSecurityException {
        try (PEMParser parser = new PEMParser(new StringReader(text))) {
            if (parser.readObject() instanceof X509CertificateHolder holder) {
                return new JcaX509CertificateConverter().getCertificate(holder);
            }
            throw new IOException(file + " holds no certificate; remove it and try again");
        }
    }

    private static PrivateKey readKey(Path file) throws IOException, GeneralSecurityException {
        String body = Files.readString(file).replaceAll("-----[A-Z ]+-----", "").replaceAll("\\s", "");
        return KeyFactory.getInstance("EC")
                .generatePrivate(new PKCS8EncodedKeySpec(Base64.getDecoder().decode(body)));
    }

    private static void writeSecret(Path file, String text) throws IOException {
        Files.deleteIfExists(file);
        Files.createFile(
                file,
                PosixFilePermissions.asFileAttribute(Set.of(
                        java.nio.file.attribute.PosixFilePermission.OWNER_READ,
                        java.nio.file.attribute.PosixFilePermission.OWNER_WRITE)));
        Files.writeString(file, text);
    }

    private static String pem(String kind, byte[] bytes) {
        String body = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(bytes);
        return "-----BEGIN " + kind + "-----\n" + body + "\n-----END " + kind + "-----\n";
    }
}
