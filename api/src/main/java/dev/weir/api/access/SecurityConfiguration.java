// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.access;

import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.jwk.source.JWKSource;
import com.nimbusds.jose.jwk.source.JWKSourceBuilder;
import com.nimbusds.jose.proc.JWSVerificationKeySelector;
import com.nimbusds.jose.proc.SecurityContext;
import com.nimbusds.jose.util.DefaultResourceRetriever;
import com.nimbusds.jwt.proc.DefaultJWTProcessor;
import dev.weir.api.web.ProblemCode;
import dev.weir.api.web.Problems;
import dev.weir.api.web.Refusals;
import io.github.bucket4j.TimeMeter;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.net.URI;
import java.util.List;
import java.util.Set;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.security.autoconfigure.actuate.web.servlet.EndpointRequest;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpMethod;
import org.springframework.http.MediaType;
import org.springframework.security.authentication.AuthenticationServiceException;
import org.springframework.security.config.ObjectPostProcessor;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.config.annotation.web.configurers.AbstractHttpConfigurer;
import org.springframework.security.config.http.SessionCreationPolicy;
import org.springframework.security.core.AuthenticationException;
import org.springframework.security.oauth2.core.DelegatingOAuth2TokenValidator;
import org.springframework.security.oauth2.core.OAuth2Error;
import org.springframework.security.oauth2.core.OAuth2TokenValidator;
import org.springframework.security.oauth2.core.OAuth2TokenValidatorResult;
import org.springframework.security.oauth2.jwt.Jwt;
import org.springframework.security.oauth2.jwt.JwtDecoder;
import org.springframework.security.oauth2.jwt.JwtValidators;
import org.springframework.security.oauth2.jwt.NimbusJwtDecoder;
import org.springframework.security.oauth2.server.resource.web.authentication.BearerTokenAuthenticationFilter;
import org.springframework.security.web.SecurityFilterChain;
import org.springframework.security.web.access.intercept.AuthorizationFilter;
import org.springframework.security.web.firewall.RequestRejectedHandler;
import org.springframework.security.web.servlet.util.matcher.PathPatternRequestMatcher;
import org.springframework.security.web.util.matcher.RequestMatcher;
import tools.jackson.databind.json.JsonMapper;

/** Who is let in at all: holders of a token that the realm signed for one of the two audiences. */
@Configuration(proxyBeanMethods = false)
@EnableConfigurationProperties({OidcProperties.class, RateLimitProperties.class, NodeRateLimitProperties.class})
class SecurityConfiguration {
    private static final int FETCH_TIMEOUT_MS = 2_000;
    private static final int KEYS_MAX_BYTES = 256 * 1024;
    private static final long KEYS_TTL_MS = 3_600_000;
    private static final long KEYS_REFRESH_TIMEOUT_MS = 5_000;
    private static final long KEYS_MIN_INTERVAL_MS = 500;

    /** Where nodes without an access token ask for certificates; the call itself asks for their proof. */
    private static final RequestMatcher OPEN_TO_NODES =
            PathPatternRequestMatcher.withDefaults().matcher(HttpMethod.PUT, "/v1/pops/*/nodes/*/certificate");

    @Bean
    RateLimits rateLimits(RateLimitProperties limit) {
        return new RateLimits(limit, TimeMeter.SYSTEM_NANOTIME);
    }

    @Bean
    SecurityFilterChain security(
            HttpSecurity http,
            JsonMapper json,
            RateLimits limits,
            NodeRateLimitProperties nodeLimit,
            Refusals refusals) {
        RateLimits nodeLimits = new RateLimits(nodeLimit.each(), TimeMeter.SYSTEM_NANOTIME);
        return http.csrf(AbstractHttpConfigurer::disable)
                .formLogin(AbstractHttpConfigurer::disable)
                .httpBasic(AbstractHttpConfigurer::disable)
                .logout(AbstractHttpConfigurer::disable)
                .requestCache(AbstractHttpConfigurer::disable)
                .sessionManagement(sessions -> sessions.sessionCreationPolicy(SessionCreationPolicy.STATELESS))
                .authorizeHttpRequests(
                        requests -> requests.requestMatchers("/healthz/*", "/v1/openapi.yaml", "/v1/docs", "/error")
                                .permitAll()
                                .requestMatchers(EndpointRequest.toAnyEndpoint())
                                .permitAll()
                                .requestMatchers(OPEN_TO_NODES)
                                .permitAll()
                                .anyRequest()
                                .authenticated())
                .exceptionHandling(exceptions -> exceptions.authenticationEntryPoint(
                        (request, response, e) -> refuse(request, response, e, json, refusals)))
                .oauth2ResourceServer(server -> server.jwt(jwt -> {})
                        .authenticationEntryPoint(
                                (request, response, e) -> refuse(request, response, e, json, refusals))
                        .withObjectPostProcessor(new ObjectPostProcessor<BearerTokenAuthenticationFilter>() {
                            @Override
                            public <O extends BearerTokenAuthenticationFilter> O postProcess(O filter) {
                                filter.setAuthenticationFailureHandler(
                                        (request, response, e) -> refuse(request, response, e, json, refusals));
                                return filter;
                            }
                        }))
                .addFilterAfter(
                        new RateLimitFilter(limits, OPEN_TO_NODES, nodeLimits, refusals, json),
                        AuthorizationFilter.class)
                .build();
    }

    /** Paths that no resource can have, such as ones with line breaks or {@code ..}. */
    @Bean
    RequestRejectedHandler rejected(JsonMapper json, Refusals refusals) {
        return (request, response, e) -> {
            refusals.refused(ProblemCode.INVALID_PARAMETER, request);
            write(request, response, ProblemCode.INVALID_PARAMETER, "The request is malformed.", json);
        };
    }

    private static void write(
            HttpServletRequest request, HttpServletResponse response, ProblemCode code, String detail, JsonMapper json)
            throws IOException {
        response.setStatus(code.status().value());
        response.setContentType(MediaType.APPLICATION_PROBLEM_JSON_VALUE);
        json.writeValue(response.getOutputStream(), Problems.body(code, detail, request.getRequestURI(), List.of()));
    }

    private static void refuse(
            HttpServletRequest request,
            HttpServletResponse response,
            AuthenticationException e,
            JsonMapper json,
            Refusals refusals)
            throws IOException {
        ProblemCode code;
        String detail;
        if (e instanceof AuthenticationServiceException) {
            // The token may be good: the keys to check it by could not be had.
            code = ProblemCode.IDENTITY_PROVIDER_UNAVAILABLE;
            detail = "The token could not be checked; try again shortly.";
            response.setHeader(HttpHeaders.RETRY_AFTER, Integer.toString(Problems.RETRY_AFTER_S));
        } else {
            code = ProblemCode.UNAUTHENTICATED;
            detail = "Send a valid access token in the header Authorization: Bearer.";
            response.setHeader(HttpHeaders.WWW_AUTHENTICATE, "Bearer");
        }
        refusals.refused(code, request);
        write(request, response, code, detail, json);
    }

    /** Keys once read go on being used while the realm cannot be reached. */
    @Bean
    JwtDecoder jwtDecoder(OidcProperties oidc) throws IOException {
        JWKSource<SecurityContext> keys = JWKSourceBuilder.create(
                        URI.create(oidc.keysUrl()).toURL(),
                        new DefaultResourceRetriever(FETCH_TIMEOUT_MS, FETCH_TIMEOUT_MS, KEYS_MAX_BYTES))
                .cache(KEYS_TTL_MS, KEYS_REFRESH_TIMEOUT_MS)
                .refreshAheadCache(true)
                .rateLimited(KEYS_MIN_INTERVAL_MS)
                .outageTolerantForever()
                .build();
        DefaultJWTProcessor<SecurityContext> processor = new DefaultJWTProcessor<>();
        processor.setJWSKeySelector(new JWSVerificationKeySelector<>(Set.of(JWSAlgorithm.RS256), keys));
        // Spring Security validates the claims.
        processor.setJWTClaimsSetVerifier((claims, context) -> {});
        NimbusJwtDecoder decoder = new NimbusJwtDecoder(processor);
        decoder.setJwtValidator(
                new DelegatingOAuth2TokenValidator<>(JwtValidators.createDefaultWithIssuer(oidc.issuer()), audience()));
        return decoder;
    }

    private static OAuth2TokenValidator<Jwt> audience() {
        OAuth2Error error = new OAuth2Error("invalid_token", "The token is not for this service", null);
        return token -> {
            List<String> audience = token.getAudience();
            boolean ours = audience != null
                    && (audience.contains(Caller.TENANTS_AUDIENCE) || audience.contains(Caller.OPERATORS_AUDIENCE));
            return ours ? OAuth2TokenValidatorResult.success() : OAuth2TokenValidatorResult.failure(error);
        };
    }
}
