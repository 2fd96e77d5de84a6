// SPDX-License-Identifier: Apache-2.0
package dev.weir.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.weir.api.RunningApi.Answer;
import dev.weir.api.RunningApi.TestProject;
import dev.weir.sdk.ClientCredentials;
import dev.weir.sdk.RolloutException;
import dev.weir.sdk.WeirClient;
import dev.weir.sdk.v1.ApiException;
import dev.weir.sdk.v1.LoadBalancersApi;
import dev.weir.sdk.v1.MembersApi;
import dev.weir.sdk.v1.model.LoadBalancer;
import dev.weir.sdk.v1.model.LoadBalancerCreate;
import dev.weir.sdk.v1.model.Member;
import dev.weir.sdk.v1.model.MemberSpec;
import dev.weir.sdk.v1.model.MemberUpdate;
import dev.weir.sdk.v1.model.PoolSpec;
import dev.weir.sdk.v1.model.Problem;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The Java SDK against the service, with a service account's own credentials. */
class SdkIT {
    private static final Duration LONGEST = Duration.ofSeconds(20);

    private static RunningApi api;
    private static TestProject acme;
    private static WeirClient weir;
    private static LoadBalancersApi loadBalancers;

    @BeforeAll
    static void start() {
        api = RunningApi.get();
        acme = api.project("sdk", "10.50.0.0/24");
        Answer account = RunningApi.created(api.post(
                api.operatorToken(), acme.path("/service-accounts"), "{\"name\": \"sdk\", \"role\": \"editor\"}"));
        weir = new WeirClient(
                URI.create(api.url()),
                new ClientCredentials(
                        URI.create(api.keycloak().issuer() + "/protocol/openid-connect/token"),
                        account.text("client_id"),
                        account.text("client_secret")));
        loadBalancers = new LoadBalancersApi(weir.calls());
    }

    @AfterAll
    static void stop() {
        weir.close();
    }

    private static LoadBalancer create(String name) throws ApiException {
        LoadBalancerCreate create = new LoadBalancerCreate()
                .name(name)
                .listeners(List.of())
                .pools(List.of(new PoolSpec()
                        .name("web")
                        .members(List.of(new MemberSpec().name("one").address("10.50.0.1")))));
        return loadBalancers.createLoadBalancer(acme.projectId(), create, null, null);
    }

    private static String uuid(String id) {
        return id.substring(id.indexOf('_') + 1);
    }

    private static void observe(LoadBalancer web, long generation) {
        api.execute("""
                insert into load_balancer_status (project_id, load_balancer_id, observed_generation)
                values ('%s', '%s', %d)
                on conflict (project_id, load_balancer_id) do update
                    set observed_generation = excluded.observed_generation""".formatted(uuid(acme.projectId()), uuid(web.getId()), generation));
    }

    @Test
    void whatIsCreatedReadsTheSame() throws ApiException {
        LoadBalancer created = create("same");

        assertThat(loadBalancers.getLoadBalancer(acme.projectId(), created.getId()))
                .isEqualTo(created);
    }

    @Test
    void weightZeroIsKeptApartFromNoWeight() throws ApiException {
        LoadBalancer web = create("zero");
        String pool = web.getPools().getFirst().getId();
        String member = web.getPools().getFirst().getMembers().getFirst().getId();
        MembersApi members = new MembersApi(weir.calls());

        Member none = members.updateMember(
                acme.projectId(), web.getId(), pool, member, new MemberUpdate().weight(0), null, null);
        Member kept = members.updateMember(
                acme.projectId(), web.getId(), pool, member, new MemberUpdate().enabled(false), null, null);

        assertThat(none.getWeight()).isZero();
        assertThat(kept.getWeight()).isZero();
    }

    @Test
    void aRefusalNamesEachFault() {
        LoadBalancerCreate create = new LoadBalancerCreate()
                .name("refused")
                .listeners(List.of())
                .pools(List.of(new PoolSpec()
                        .name("web")
                        .members(List.of(new MemberSpec().name("one").address("127.0.0.1")))));

        ApiException refused = catchThrowableOfType(
                ApiException.class, () -> loadBalancers.createLoadBalancer(acme.projectId(), create, null, null));

        Problem problem = weir.problem(refused).orElseThrow();
        assertThat(refused.getCode()).isEqualTo(problem.getStatus());
        assertThat(Objects.requireNonNull(problem.getErrors()).getFirst().getPointer())
                .isEqualTo("/pools/0/members/0/address");
    }

    @Test
    void aKeyOfTheCallersOwnMakesOneOfTwoCalls() throws ApiException {
        LoadBalancerCreate create =
                new LoadBalancerCreate().name("keyed").listeners(List.of()).pools(List.of());

        LoadBalancer first = loadBalancers.createLoadBalancer(acme.projectId(), create, "my-key", null);
        LoadBalancer second = loadBalancers.createLoadBalancer(acme.projectId(), create, "my-key", null);

        assertThat(second.getId()).isEqualTo(first.getId());
    }

    @Test
    void waitingEndsWhenTheEdgeRunsTheGeneration() throws Exception {
        LoadBalancer web = create("waited-for");
        observe(web, 0);

        try (ScheduledExecutorService edge = Executors.newSingleThreadScheduledExecutor()) {
            edge.schedule(() -> observe(web, web.getGeneration()), 300, TimeUnit.MILLISECONDS);

            assertThat(weir.waitForGeneration(acme.projectId(), web.getId(), web.getGeneration(), LONGEST)
                            .getObservedGeneration())
                    .isEqualTo(web.getGeneration());
        }
    }

    @Test
    void waitingForWhatNobodyRunsEndsInTime() throws Exception {
        LoadBalancer web = create("never");
        observe(web, 0);

        RolloutException late = catchThrowableOfType(
                RolloutException.class,
                () -> weir.waitForGeneration(
                        acme.projectId(), web.getId(), web.getGeneration(), Duration.ofMillis(300)));

        assertThat(late.reason()).isEqualTo(RolloutException.Reason.TIMED_OUT);
    }
}
