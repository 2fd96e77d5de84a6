// SPDX-License-Identifier: Apache-2.0
package dev.weir.sdk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.sdk.ScriptedService.Asked;
import dev.weir.sdk.ScriptedService.Reply;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.time.Instant;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

class RetryingHttpClientTests {
    private final ManualPauses pauses = new ManualPauses();

    private int status(ScriptedService service, String method) throws IOException, InterruptedException {
        return status(service, method, RetryPolicy.DEFAULT, () -> "t");
    }

    private int status(ScriptedService service, String method, RetryPolicy policy, TokenSource tokens)
            throws IOException, InterruptedException {
        try (HttpClient client = new RetryingHttpClient(
                HttpClient.newHttpClient(), tokens, policy, pauses, RandomGenerator.getDefault())) {
            return client.send(
                            HttpRequest.newBuilder(service.url().resolve("/v1/things"))
                                    .timeout(Duration.ofSeconds(10))
                                    .method(method, BodyPublishers.ofString("{\"a\":1}"))
                                    .build(),
                            BodyHandlers.ofInputStream())
                    .statusCode();
        }
    }

    @Test
    void aCallTurnedAwayIsRepeatedAfterThePauseThatTheServiceNames() throws Exception {
        try (ScriptedService service =
                new ScriptedService(Reply.later(429, "3"), Reply.later(503, "2"), Reply.of(200))) {
            assertThat(status(service, "PATCH")).isEqualTo(200);

            assertThat(pauses.made()).containsExactly(Duration.ofSeconds(3), Duration.ofSeconds(2));
            assertThat(service.asked()).extracting(Asked::body).containsOnly("{\"a\":1}");
        }
    }

    @Test
    void anAnswerThatAsksForTooLongAPauseIsHandedOn() throws Exception {
        try (ScriptedService service = new ScriptedService(Reply.later(503, "3600"), Reply.of(200))) {
            assertThat(status(service, "GET")).isEqualTo(503);
            assertThat(pauses.made()).isEmpty();
        }
    }

    @Test
    void attemptsAndPausesAreBounded() throws Exception {
        try (ScriptedService service = new ScriptedService(Reply.of(503))) {
            RetryPolicy policy = new RetryPolicy(4, Duration.ofMillis(100), Duration.ofMillis(200));

            assertThat(status(service, "GET", policy, () -> "t")).isEqualTo(503);

            assertThat(service.asked()).hasSize(4);
            assertThat(pauses.made().get(0)).isBetween(Duration.ofMillis(50), Duration.ofMillis(100));
            assertThat(pauses.made().get(2)).isBetween(Duration.ofMillis(100), Duration.ofMillis(200));
        }
    }

    @Test
    void otherAnswersAreFinal() throws Exception {
        for (int status : new int[] {400, 404, 412, 500, 502}) {
            try (ScriptedService service = new ScriptedService(Reply.of(status), Reply.of(200))) {
                assertThat(status(service, "GET")).isEqualTo(status);
            }
        }
    }

    @Test
    void aPostKeepsItsKeyThroughAllAttempts() throws Exception {
        try (ScriptedService service = new ScriptedService(Reply.broken(), Reply.of(503), Reply.of(201))) {
            assertThat(status(service, "POST")).isEqualTo(201);

            // The JDK's own client repeats no POST.
            assertThat(service.asked()).hasSize(3);
            assertThat(service.asked()).extracting(Asked::key).doesNotContainNull();
            assertThat(service.asked().stream().map(Asked::key).distinct()).hasSize(1);
        }
    }

    @Test
    void twoPostsHaveTwoKeysAndOtherMethodsNone() throws Exception {
        try (ScriptedService service = new ScriptedService(Reply.of(200))) {
            status(service, "POST");
            status(service, "POST");
            status(service, "PUT");

            assertThat(service.asked().get(0).key())
                    .isNotEqualTo(service.asked().get(1).key());
            assertThat(service.asked().get(2).key()).isNull();
        }
    }

    @Test
    void aBrokenConnectionRepeatsReplacementsButNoPatch() throws Exception {
        try (ScriptedService service = new ScriptedService(Reply.broken(), Reply.of(200))) {
            assertThat(status(service, "PUT")).isEqualTo(200);
        }
        try (ScriptedService service = new ScriptedService(Reply.broken(), Reply.of(200))) {
            assertThatThrownBy(() -> status(service, "PATCH")).isInstanceOf(IOException.class);
            assertThat(service.asked()).hasSize(1);
        }
    }

    @Test
    void whatNeverReachedTheServiceIsRepeatedWhateverTheMethod() throws Exception {
        try (ScriptedService service = new ScriptedService(Reply.of(200))) {
            int[] asked = {0};

            int status = status(service, "PATCH", RetryPolicy.DEFAULT, () -> {
                if (asked[0]++ == 0) {
                    throw new IOException("the identity provider is away");
                }
                return "second";
            });

            assertThat(status).isEqualTo(200);
            assertThat(service.asked()).extracting(Asked::authorization).containsExactly("Bearer second");
        }
    }

    @Test
    void retryAfterIsSecondsOrADate() {
        Instant now = Instant.parse("2026-11-23T10:00:00Z");

        assertThat(RetryingHttpClient.retryAfter("120", now)).contains(Duration.ofMinutes(2));
        assertThat(RetryingHttpClient.retryAfter("Mon, 23 Nov 2026 10:00:07 GMT", now))
                .contains(Duration.ofSeconds(7));
        assertThat(RetryingHttpClient.retryAfter("Mon, 23 Nov 2026 09:00:00 GMT", now))
                .contains(Duration.ZERO);
        assertThat(RetryingHttpClient.retryAfter("soon", now)).isEmpty();
        assertThat(RetryingHttpClient.retryAfter("", now)).isEmpty();
    }
}
