// SPDX-License-Identifier: Apache-2.0
package dev.weir.sdk;

import java.io.Closeable;
import java.io.IOException;
import java.net.Authenticator;
import java.net.ConnectException;
import java.net.CookieHandler;
import java.net.ProxySelector;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.PushPromiseHandler;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.random.RandomGenerator;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import org.jspecify.annotations.Nullable;

/**
 * Gives each call its token, each POST its idempotency key, and repeats what the service turned away for the moment.
 *
 * <p>429 and 503 are repeated whatever the method, since the service answers them in place of the change. When a
 * connection breaks, nobody knows whether the change was made; then only calls are repeated that may be made twice: reads,
 * PUT, DELETE, and POST, whose key makes the service answer the second as the first. A call that never reached the
 * service is repeated in any case.
 */
final class RetryingHttpClient extends HttpClient {
    private static final String KEY = "Idempotency-Key";

    private final HttpClient next;
    private final TokenSource tokens;
    private final RetryPolicy policy;
    private final Pauses pauses;
    private final RandomGenerator random;

    RetryingHttpClient(HttpClient next, TokenSource tokens, RetryPolicy policy, Pauses pauses, RandomGenerator random) {
        this.next = next;
        this.tokens = tokens;
        this.policy = policy;
        this.pauses = pauses;
        this.random = random;
    }

    @Override
    public <T> HttpResponse<T> send(HttpRequest request, BodyHandler<T> handler)
            throws IOException, InterruptedException {
        Optional<String> key = request.method().equals("POST")
                        && request.headers().firstValue(KEY).isEmpty()
                ? Optional.of(UUID.randomUUID().toString())
                : Optional.empty();
        for (int attempt = 1; ; attempt++) {
            Optional<Duration> pause;
            try {
                HttpResponse<T> response = next.send(prepared(request, key), handler);
                pause = attempt == policy.attempts() ? Optional.empty() : pauseAfter(response, attempt);
                if (pause.isEmpty()) {
                    return response;
                }
                discard(response.body());
            } catch (IOException e) {
                if (attempt == policy.attempts() || !mayRepeat(request.method(), e)) {
                    throw e;
                }
                pause = Optional.of(backoff(attempt));
            }
            pauses.pause(pause.get());
        }
    }

    private HttpRequest prepared(HttpRequest request, Optional<String> key) throws IOException, InterruptedException {
        HttpRequest.Builder prepared = HttpRequest.newBuilder(request, (name, value) -> true);
        // Asked each time: a token may expire between two attempts.
        prepared.setHeader("Authorization", "Bearer " + token());
        key.ifPresent(value -> prepared.setHeader(KEY, value));
        return prepared.build();
    }

    private String token() throws IOException, InterruptedException {
        try {
            return tokens.token();
        } catch (IOException e) {
            // The service was not asked, so there is nothing to repeat that could be made twice.
            throw new NotSent(e);
        }
    }

    /** A call that never left. */
    private static final class NotSent extends ConnectException {
        private static final long serialVersionUID = 1L;

        NotSent(IOException cause) {
            super("no token: " + cause.getMessage());
            initCause(cause);
        }
    }

    /** @return empty: the answer is final */
    private Optional<Duration> pauseAfter(HttpResponse<?> response, int attempt) {
        if (response.statusCode() != 429 && response.statusCode() != 503) {
            return Optional.empty();
        }
        Duration own = backoff(attempt);
        Duration asked = response.headers()
                .firstValue("Retry-After")
                .flatMap(value -> retryAfter(value, Instant.now()))
                .orElse(own);
        if (asked.compareTo(policy.longestPause()) > 0) {
            return Optional.empty();
        }
        return Optional.of(asked.compareTo(own) > 0 ? asked : own);
    }

    /** @param value seconds, or a date */
    static Optional<Duration> retryAfter(String value, Instant now) {
        try {
            if (value.chars().allMatch(c -> c >= '0' && c <= '9')) {
                return Optional.of(Duration.ofSeconds(Long.parseLong(value)));
            }
            Instant at = ZonedDateTime.parse(value, DateTimeFormatter.RFC_1123_DATE_TIME)
                    .toInstant();
            return Optional.of(at.isBefore(now) ? Duration.ZERO : Duration.between(now, at));
        } catch (NumberFormatException | DateTimeParseException e) {
            return Optional.empty();
        }
    }

    private static boolean mayRepeat(String method, IOException failure) {
        return switch (method) {
            case "GET", "HEAD", "PUT", "DELETE", "POST" -> true;
            default -> failure instanceof ConnectException || failure instanceof HttpConnectTimeoutException;
        };
    }

    private Duration backoff(int attempt) {
        long whole =
                Math.min(policy.longestPause().toNanos(), policy.firstPause().toNanos() << Math.min(attempt - 1, 20));
        return Duration.ofNanos(whole / 2 + random.nextLong(whole / 2 + 1));
    }

    /** A connection is used again once its answer was read or closed. */
    private static void discard(@Nullable Object body) throws IOException {
        if (body instanceof Closeable stream) {
            stream.close();
        }
    }

    @Override
    public <T> CompletableFuture<HttpResponse<T>> sendAsync(HttpRequest request, BodyHandler<T> handler) {
        CompletableFuture<HttpResponse<T>> answer = new CompletableFuture<>();
        Thread thread = Thread.ofVirtual().unstarted(() -> {
            try {
                answer.complete(send(request, handler));
            } catch (IOException e) {
                answer.completeExceptionally(e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                answer.completeExceptionally(e);
            }
        });
        thread.start();
        return answer;
    }

    @Override
    public <T> CompletableFuture<HttpResponse<T>> sendAsync(
            HttpRequest request, BodyHandler<T> handler, @Nullable PushPromiseHandler<T> pushes) {
        return sendAsync(request, handler);
    }

    @Override
    public void close() {
        next.close();
    }

    @Override
    public Optional<CookieHandler> cookieHandler() {
        return next.cookieHandler();
    }

    @Override
    public Optional<Duration> connectTimeout() {
        return next.connectTimeout();
    }

    @Override
    public Redirect followRedirects() {
        return next.followRedirects();
    }

    @Override
    public Optional<ProxySelector> proxy() {
        return next.proxy();
    }

    @Override
    public SSLContext sslContext() {
        return next.sslContext();
    }

    @Override
    public SSLParameters sslParameters() {
        return next.sslParameters();
    }

    @Override
    public Optional<Authenticator> authenticator() {
        return next.authenticator();
    }

    @Override
    public Version version() {
        return next.version();
    }

    @Override
    public Optional<Executor> executor() {
        return next.executor();
    }
}
