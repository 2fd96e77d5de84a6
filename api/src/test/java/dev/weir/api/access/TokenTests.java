// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.access;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.JWSSigner;
import com.nimbusds.jose.crypto.MACSigner;
import com.nimbusds.jose.crypto.RSASSASigner;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jose.jwk.gen.RSAKeyGenerator;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.PlainJWT;
import com.nimbusds.jwt.SignedJWT;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.springframework.security.oauth2.jwt.JwtDecoder;
import org.springframework.security.oauth2.jwt.JwtException;

/** Tokens that a realm could have signed, and such that it could not. */
class TokenTests {
    private static final UUID ACME = UUID.fromString("0f5a2a3e-9a38-4d2b-8b14-0a1f5a2b7c11");
    private static final UUID GLOBEX = UUID.fromString("7c3fd3de-1d40-4a35-a0a8-5f0a4e9b1c22");

    private static HttpServer realm;
    private static RSAKey key;
    private static String issuer;
    private static JwtDecoder decoder;

    @BeforeAll
    static void start() throws IOException, JOSEException {
        key = new RSAKeyGenerator(2048).keyID("realm").generate();
        byte[] keys = new JWKSet(key).toString().getBytes(StandardCharsets.UTF_8);
        realm = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        realm.createContext("/", exchange -> {
            exchange.getResponseHeaders().set("Content-Type", "application/json");
            exchange.sendResponseHeaders(200, keys.length);
            exchange.getResponseBody().write(keys);
            exchange.close();
        });
        realm.start();
        String url = "http://127.0.0.1:" + realm.getAddress().getPort();
        issuer = url + "/realms/weir";
        decoder = new SecurityConfiguration().jwtDecoder(new OidcProperties(issuer, url, "", ""));
    }

    @AfterAll
    static void stop() {
        realm.stop(0);
    }

    private static JWTClaimsSet.Builder claims() {
        Instant now = Instant.now();
        return new JWTClaimsSet.Builder()
                .issuer(issuer)
                .subject("alice")
                .audience(Caller.TENANTS_AUDIENCE)
                .issueTime(Date.from(now.minus(Duration.ofMinutes(10))))
                .expirationTime(Date.from(now.plus(Duration.ofMinutes(5))));
    }

    private static String signed(JWTClaimsSet claims, JWSAlgorithm algorithm, JWSSigner signer) throws JOSEException {
        SignedJWT token = new SignedJWT(
                new JWSHeader.Builder(algorithm).keyID(key.getKeyID()).build(), claims);
        token.sign(signer);
        return token.serialize();
    }

    private static String signed(JWTClaimsSet claims) throws JOSEException {
        return signed(claims, JWSAlgorithm.RS256, new RSASSASigner(key));
    }

    private static void assertRefused(String token) {
        assertThatThrownBy(() -> decoder.decode(token)).isInstanceOf(JwtException.class);
    }

    @Test
    void theRealmsOwnTokenIsGood() throws JOSEException {
        assertThat(decoder.decode(signed(claims().build())).getSubject()).isEqualTo("alice");
    }

    @Test
    void anExpiredTokenIsRefused() throws JOSEException {
        assertRefused(signed(claims().expirationTime(Date.from(Instant.now().minus(Duration.ofMinutes(2))))
                .build()));
    }

    @Test
    void aTokenForAnotherServiceIsRefused() throws JOSEException {
        assertRefused(signed(claims().audience("account").build()));
        assertRefused(signed(claims().audience((String) null).build()));
    }

    @Test
    void aTokenOfAnotherRealmIsRefused() throws JOSEException {
        assertRefused(signed(claims().issuer(issuer + "2").build()));
    }

    @Test
    void anUnsignedTokenIsRefused() {
        assertRefused(new PlainJWT(claims().build()).serialize());
    }

    @Test
    void aTokenSignedByAnotherKeyOfTheSameNameIsRefused() throws JOSEException {
        RSAKey other = new RSAKeyGenerator(2048).keyID(key.getKeyID()).generate();

        assertRefused(signed(claims().build(), JWSAlgorithm.RS256, new RSASSASigner(other)));
    }

    @Test
    void thePublicKeyIsNoSharedSecret() throws JOSEException {
        byte[] publicKey = key.toRSAPublicKey().getEncoded();

        assertRefused(signed(claims().build(), JWSAlgorithm.HS256, new MACSigner(publicKey)));
    }

    @Test
    void anOrganizationIsWhatItsIdSaysWhateverItsName() throws JOSEException {
        // Globex renamed itself to the alias that acme had.
        Caller caller = Caller.of(decoder.decode(signed(claims().claim(
                        "organization", Map.of("acme", Map.of("id", GLOBEX.toString(), "name", ACME.toString())))
                .build())));

        assertThat(caller.organizationIds()).containsExactly(GLOBEX);
    }

    @Test
    void theOperatorsAudienceAloneMakesNoOperator() throws JOSEException {
        Caller without = Caller.of(decoder.decode(
                signed(claims().audience(Caller.OPERATORS_AUDIENCE).build())));
        Caller with = Caller.of(decoder.decode(signed(claims().audience(Caller.OPERATORS_AUDIENCE)
                .claim("realm_access", Map.of("roles", List.of("operator")))
                .build())));
        Caller roleAlone =
                Caller.of(decoder.decode(signed(claims().claim("realm_access", Map.of("roles", List.of("operator")))
                        .build())));

        assertThat(without.operator()).isFalse();
        assertThat(with.operator()).isTrue();
        assertThat(roleAlone.operator()).isFalse();
    }
}
