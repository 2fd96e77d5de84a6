// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.identity;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.util.Map;
import java.util.Set;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.TrustManagerFactory;
import org.apache.kafka.common.security.auth.SslEngineFactory;
import org.jspecify.annotations.Nullable;

/**
 * Gives each new connection to Kafka the certificate that the node has at that time, so that clients live on when it is
 * renewed. What is connected stays so: a broker does not look at a certificate again.
 */
public final class NodeSslEngineFactory implements SslEngineFactory {
    public static final String CA_CONFIG = "weir.ssl.ca";
    public static final String CERTIFICATE_CONFIG = "weir.ssl.certificate";
    public static final String KEY_CONFIG = "weir.ssl.key";

    private static final char[] NO_PASSWORD = new char[0];

    private @Nullable Path ca;
    private @Nullable NodeIdentity identity;
    private NodeIdentity.@Nullable Held used;
    private String usedCa = "";
    private @Nullable SSLContext context;

    @Override
    public void configure(Map<String, ?> settings) {
        ca = path(settings, CA_CONFIG);
        identity = new NodeIdentity(path(settings, CERTIFICATE_CONFIG), path(settings, KEY_CONFIG));
        current();
    }

    private static Path path(Map<String, ?> settings, String name) {
        Object value = settings.get(name);
        if (value == null) {
            throw new IllegalArgumentException("the setting " + name + " is missing");
        }
        return Path.of(value.toString());
    }

    @Override
    public SSLEngine createClientSslEngine(String peerHost, int peerPort, String endpointIdentification) {
        SSLEngine engine = current().createSSLEngine(peerHost, peerPort);
        engine.setUseClientMode(true);
        SSLParameters parameters = engine.getSSLParameters();
        parameters.setEndpointIdentificationAlgorithm(endpointIdentification);
        engine.setSSLParameters(parameters);
        return engine;
    }

    private synchronized SSLContext current() {
        NodeIdentity source = identity;
        Path trusted = ca;
        if (source == null || trusted == null) {
            throw new IllegalStateException("not configured");
        }
        try {
            NodeIdentity.Held held = source.held();
            String authorities = Files.readString(trusted);
            SSLContext known = context;
            if (known == null || held != used || !authorities.equals(usedCa)) {
                known = context(held, authorities);
                context = known;
                used = held;
                usedCa = authorities;
            }
            return known;
        } catch (IOException e) {
            SSLContext former = context;
            if (former == null) {
                throw new UncheckedIOException(e);
            }
            return former;
        }
    }

    private static SSLContext context(NodeIdentity.Held held, String authorities) throws IOException {
        try {
            KeyStore keys = KeyStore.getInstance("PKCS12");
            keys.load(null, null);
            keys.setKeyEntry("node", held.key(), NO_PASSWORD, held.chain().toArray(X509Certificate[]::new));
            KeyManagerFactory keyManagers = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
            keyManagers.init(keys, NO_PASSWORD);
            TrustManagerFactory trustManagers =
                    TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            trustManagers.init(trusted(authorities));
            SSLContext made = SSLContext.getInstance("TLSv1.3");
            made.init(keyManagers.getKeyManagers(), trustManagers.getTrustManagers(), null);
            return made;
        } catch (GeneralSecurityException e) {
            throw new IOException("the node's certificate can't be used", e);
        }
    }

    static KeyStore trusted(String authorities) throws IOException, GeneralSecurityException {
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        int number = 0;
        for (X509Certificate certificate : Pem.certificates(authorities)) {
            trusted.setCertificateEntry("ca" + number++, certificate);
        }
        return trusted;
    }

    @Override
    public SSLEngine createServerSslEngine(String peerHost, int peerPort) {
        throw new UnsupportedOperationException("an agent is nobody's server");
    }

    @Override
    public boolean shouldBeRebuilt(Map<String, Object> nextSettings) {
        return false;
    }

    @Override
    public Set<String> reconfigurableConfigs() {
        return Set.of();
    }

    @Override
    public @Nullable KeyStore keystore() {
        return null;
    }

    @Override
    public @Nullable KeyStore truststore() {
        return null;
    }

    @Override
    public void close() {
        // Holds nothing open.
    }
}
