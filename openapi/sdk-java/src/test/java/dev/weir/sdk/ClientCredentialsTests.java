// SPDX-License-Identifier: Apache-2.0
package dev.weir.sdk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.sdk.ScriptedService.Asked;
import dev.weir.sdk.ScriptedService.Reply;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

class ClientCredentialsTests {
    private final AtomicReference<Instant> now = new AtomicReference<>(Instant.parse("2026-11-23T10:00:00Z"));
    private final InstantSource clock = now::get;

    private ClientCredentials credentials(ScriptedService service) {
        return new ClientCredentials(service.url().resolve("/token"), "robot", "s&cret", clock);
    }

    @Test
    void aTokenIsUsedUntilShortlyBeforeItExpires() throws Exception {
        try (ScriptedService service = new ScriptedService(
                Reply.json("{\"access_token\": \"one\", \"expires_in\": 60}"),
                Reply.json("{\"access_token\": \"two\", \"expires_in\": 60}"))) {
            ClientCredentials credentials = credentials(service);

            assertThat(credentials.token()).isEqualTo("one");
            now.updateAndGet(at -> at.plus(Duration.ofSeconds(39)));
            assertThat(credentials.token()).isEqualTo("one");
            now.updateAndGet(at -> at.plus(Duration.ofSeconds(1)));
            assertThat(credentials.token()).isEqualTo("two");

            assertThat(service.asked())
                    .extracting(Asked::body)
                    .containsOnly("grant_type=client_credentials&client_id=robot&client_secret=s%26cret");
        }
    }

    @Test
    void aRefusalFailsAndIsNotRemembered() throws Exception {
        try (ScriptedService service = new ScriptedService(
                Reply.of(401), Reply.json("{}"), Reply.json("{\"access_token\": \"one\", \"expires_in\": 60}"))) {
            ClientCredentials credentials = credentials(service);

            assertThatThrownBy(credentials::token)
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("401");
            assertThatThrownBy(credentials::token).isInstanceOf(IOException.class);
            assertThat(credentials.token()).isEqualTo("one");
        }
    }
}
