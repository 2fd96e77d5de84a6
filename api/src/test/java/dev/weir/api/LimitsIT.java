// SPDX-License-Identifier: Apache-2.0
package dev.weir.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.api.RunningApi.Answer;
import dev.weir.api.RunningApi.TestProject;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class LimitsIT {
    private static RunningApi api;
    private static TestProject acme;

    @BeforeAll
    static void start() {
        api = RunningApi.get();
        acme = api.project("limits", "10.50.0.0/24");
    }

    @Test
    void everyAnswerToACallerTellsWhatIsLeft() {
        Answer answer = api.get(acme.token(), acme.path("/vips"));
        Answer anonymous = api.call(null, "GET", "/v1/projects", null, Map.of());

        assertThat(answer.header("ratelimit-policy")).matches("\"default\";q=\\d+;w=10");
        assertThat(answer.header("ratelimit")).matches("\"default\";r=\\d+;t=\\d+");
        assertThat(anonymous.headers()).doesNotContainKey("ratelimit");
    }

    @Test
    void aBodyThatIsTooLargeIsRefused() {
        String body = "{\"name\": \"%s\"}".formatted("x".repeat(4 * 1024 * 1024));

        Answer answer = api.post(acme.token(), acme.path("/vips"), body);

        assertThat(answer.status()).isEqualTo(413);
        assertThat(answer.text("code")).isEqualTo("BODY_TOO_LARGE");
    }

    @Test
    void requestIdsAreEchoedAndStrangeOnesReplaced() {
        Answer given = api.call(null, "GET", "/healthz/live", null, Map.of("X-Request-Id", "abc-1"));
        Answer strange = api.call(null, "GET", "/healthz/live", null, Map.of("X-Request-Id", "a b\"<c>"));

        assertThat(given.header("x-request-id")).isEqualTo("abc-1");
        assertThat(strange.header("x-request-id")).matches("[0-9a-f]{32}");
    }

    @Test
    void theTraceOfTheCallerGoesIntoRevisionAndOutbox() {
        String trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        Answer created = RunningApi.created(api.call(
                acme.token(),
                "POST",
                acme.path("/load-balancers"),
                "{\"name\": \"traced\", \"listeners\": [], \"pools\": []}",
                Map.of("traceparent", "00-" + trace + "-00f067aa0ba902b7-01")));

        String id = created.text("id").substring(3);
        String revision = api.query("select traceparent from revisions where load_balancer_id = '%s'".formatted(id));
        String outbox = api.query("select traceparent from outbox where key = '%s'".formatted(id));

        assertThat(revision).startsWith("00-" + trace).doesNotContain("00f067aa0ba902b7");
        assertThat(outbox).isEqualTo(revision);
    }

    @Test
    void metricsAreOnThePortForOperatorsOnly() {
        api.call(null, "GET", "/v1/projects", null, Map.of());

        Answer metrics = api.management("/actuator/prometheus");

        assertThat(metrics.status()).isEqualTo(200);
        assertThat(metrics.body().asString())
                .contains("http_server_requests_seconds_bucket")
                .contains("weir_api_refusals_total{code=\"UNAUTHENTICATED\"}");
        assertThat(api.management("/actuator/env").status()).isEqualTo(401);
        assertThat(api.call(null, "GET", "/actuator/prometheus", null, Map.of()).status())
                .isEqualTo(401);
    }

    @Test
    void theContractIsReadableAsAPage() {
        Answer page = api.call(null, "GET", "/v1/docs", null, Map.of());

        assertThat(page.status()).isEqualTo(200);
        assertThat(page.header("content-type")).isEqualTo("text/html;charset=UTF-8");
        assertThat(page.header("content-security-policy")).contains("default-src 'none'");
        assertThat(page.body().asString())
                .contains("createLoadBalancer", "LoadBalancerSpec")
                .doesNotContain("<script");
    }
}
