// SPDX-License-Identifier: Apache-2.0
package dev.weir.sdk;

import dev.weir.sdk.RolloutException.Reason;
import dev.weir.sdk.v1.ApiClient;
import dev.weir.sdk.v1.ApiException;
import dev.weir.sdk.v1.ObservationsApi;
import dev.weir.sdk.v1.model.NodeRolloutState;
import dev.weir.sdk.v1.model.Problem;
import dev.weir.sdk.v1.model.Rollout;
import dev.weir.sdk.v1.model.StagedRollout;
import dev.weir.sdk.v1.model.StagedRolloutState;
import java.net.URI;
import java.net.http.HttpClient;
import java.time.Duration;
import java.util.Optional;
import java.util.random.RandomGenerator;
import tools.jackson.core.JacksonException;

/**
 * A connection to the service, for all threads of a program. Groups of calls are made on it:
 *
 * <pre>{@code
 * try (WeirClient weir = new WeirClient(api, new ClientCredentials(tokenUrl, id, secret))) {
 *     LoadBalancer web = new LoadBalancersApi(weir.calls()).createLoadBalancer(project, spec, null, null);
 *     weir.waitForGeneration(project, web.getId(), web.getGeneration(), Duration.ofSeconds(30));
 * }
 * }</pre>
 *
 * <p>Calls answered by 429 or 503 are repeated after the pause that the service names. Each POST carries an
 * {@code Idempotency-Key} of its own unless the caller gives one, so it too can be repeated when its connection breaks. A
 * secret is shown once only: the repetition of a call that creates or rotates one answers without it.
 */
public final class WeirClient implements AutoCloseable {
    private static final Duration LONGEST_CONNECT = Duration.ofSeconds(5);
    private static final Duration LONGEST_CALL = Duration.ofSeconds(30);
    // Most changes reach the edge in a fraction of a second.
    private static final Duration FIRST_POLL = Duration.ofMillis(100);
    private static final Duration LONGEST_POLL = Duration.ofSeconds(2);

    private final HttpClient http;
    private final ApiClient calls;
    private final ObservationsApi observations;
    private final Pauses pauses;

    /** @param api the service's address, without {@code /v1} */
    public WeirClient(URI api, TokenSource tokens) {
        this(api, tokens, RetryPolicy.DEFAULT);
    }

    /** @param api the service's address, without {@code /v1} */
    public WeirClient(URI api, TokenSource tokens, RetryPolicy policy) {
        this(api, tokens, policy, Pauses.REAL);
    }

    WeirClient(URI api, TokenSource tokens, RetryPolicy policy, Pauses pauses) {
        this.pauses = pauses;
        http = new RetryingHttpClient(
                HttpClient.newBuilder().connectTimeout(LONGEST_CONNECT).build(),
                tokens,
                policy,
                pauses,
                RandomGenerator.getDefault());
        calls = new ApiClient() {
            @Override
            public HttpClient getHttpClient() {
                return http;
            }
        };
        String address = api.toString();
        calls.updateBaseUri(address.endsWith("/") ? address.substring(0, address.length() - 1) : address);
        calls.setReadTimeout(LONGEST_CALL);
        observations = new ObservationsApi(calls);
    }

    /** What the generated groups of calls are made of, such as {@code new LoadBalancersApi(weir.calls())}. */
    public ApiClient calls() {
        return calls;
    }

    /** What the service said about a call that failed; empty where it said nothing, as when it was not reached. */
    public Optional<Problem> problem(ApiException failure) {
        String body = failure.getResponseBody();
        if (body == null || body.isBlank()) {
            return Optional.empty();
        }
        try {
            return Optional.of(calls.getObjectMapper().readValue(body, Problem.class));
        } catch (JacksonException e) {
            // Something in between answered, such as a proxy.
            return Optional.empty();
        }
    }

    /**
     * Waits until all reachable nodes of a load balancer's placement run a generation or a newer one.
     *
     * @param generation as the load balancer named it after a change
     * @return the rollout as it was then
     * @throws RolloutException as soon as a node refuses the generation or its rollout is reverted, and when the time is
     *     over
     * @throws ApiException if the rollout can't be read, such as when the load balancer is deleted meanwhile
     */
    public Rollout waitForGeneration(String projectId, String loadBalancerId, long generation, Duration longest)
            throws RolloutException, ApiException, InterruptedException {
        long end = pauses.nanoTime() + longest.toNanos();
        for (Duration poll = FIRST_POLL; ; poll = doubled(poll)) {
            Rollout rollout = observations.getRollout(projectId, loadBalancerId);
            if (rollout.getObservedGeneration() >= generation) {
                return rollout;
            }
            if (refused(rollout, generation)) {
                throw new RolloutException(Reason.REJECTED, generation, rollout);
            }
            if (reverted(rollout, generation)) {
                throw new RolloutException(Reason.REVERTED, generation, rollout);
            }
            long left = end - pauses.nanoTime();
            if (left <= 0) {
                throw new RolloutException(Reason.TIMED_OUT, generation, rollout);
            }
            pauses.pause(left < poll.toNanos() ? Duration.ofNanos(left) : poll);
        }
    }

    private static Duration doubled(Duration poll) {
        Duration twice = poll.multipliedBy(2);
        return twice.compareTo(LONGEST_POLL) < 0 ? twice : LONGEST_POLL;
    }

    /** A refusal of an older generation is past: the node has not seen the newer one yet. */
    private static boolean refused(Rollout rollout, long generation) {
        return rollout.getNodes().stream()
                .anyMatch(node ->
                        node.getState() == NodeRolloutState.REJECTED && node.getDesiredGeneration() >= generation);
    }

    /** What was reverted before the generation was made says nothing about it: it starts a rollout of its own. */
    private static boolean reverted(Rollout rollout, long generation) {
        StagedRollout staged = rollout.getStaged();
        return staged != null
                && staged.getState() == StagedRolloutState.REVERTED
                && staged.getStableGeneration() < generation
                && generation <= staged.getCandidateGeneration();
    }

    @Override
    public void close() {
        http.close();
    }
}
