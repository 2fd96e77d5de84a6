// SPDX-License-Identifier: Apache-2.0
package dev.weir.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.api.RunningApi.Answer;
import dev.weir.api.RunningApi.TestProject;
import java.io.IOException;
import java.net.ConnectException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Two instances on one database, while one of them is killed in the middle of writes. */
class TwoApisIT {
    private static final int WRITERS = 6;
    private static final int LOAD_BALANCERS = 2;

    private static RunningApi api;
    private static TestProject acme;
    private static ApiProcess survivor;
    private static volatile ApiProcess victim;
    /** Paths of the pools that members are added to, by the id of their load balancer. */
    private static final List<Pool> pools = new ArrayList<>();

    private record Pool(String loadBalancer, String members) {}

    /** @param interrupted whether an instance died after it had taken the call */
    private record Write(Pool pool, String key, String body, Answer answer, boolean interrupted) {
        String address() {
            return answer.text("address");
        }
    }

    @BeforeAll
    static void start() throws IOException, InterruptedException {
        api = RunningApi.get();
        acme = api.project("two", "10.60.0.0/16");
        victim = ApiProcess.start(api, "victim");
        survivor = ApiProcess.start(api, "survivor");
        for (int i = 0; i < LOAD_BALANCERS; i++) {
            Answer made = RunningApi.created(api.post(acme.token(), acme.path("/load-balancers"), """
                    {"name": "two-%d",
                     "listeners": [{"name": "http", "protocol": "tcp", "port_ranges": [{"first": 80, "last": 80}],
                         "pool_name": "web"}],
                     "pools": [{"name": "web", "members": []}]}""".formatted(i)));
            pools.add(new Pool(
                    made.text("id"),
                    acme.path("/load-balancers/%s/pools/%s/members"
                            .formatted(
                                    made.text("id"),
                                    made.body().at("/pools/0/id").asString()))));
        }
        awaitReady(survivor);
        awaitReady(victim);
    }

    @AfterAll
    static void stop() throws InterruptedException {
        survivor.close();
        victim.close();
    }

    private static void awaitReady(ApiProcess instance) throws InterruptedException {
        Instant end = Instant.now().plus(Duration.ofMinutes(2));
        while (instance.readiness() != 200) {
            assertThat(Instant.now()).as("ready in time").isBefore(end);
            Thread.sleep(Duration.ofMillis(100));
        }
    }

    @Test
    void instanceKilledInTheMiddleOfWritesLosesAndDoublesNothing() throws Exception {
        AtomicBoolean over = new AtomicBoolean();
        AtomicInteger answered = new AtomicInteger();
        List<Write> writes = new ArrayList<>();
        try (ExecutorService threads = Executors.newFixedThreadPool(WRITERS)) {
            List<Future<List<Write>>> writers = IntStream.range(0, WRITERS)
                    .mapToObj(writer -> threads.submit(() -> write(writer, over, answered)))
                    .toList();
            try {
                awaitMore(answered, 60);
                victim.kill();
                awaitMore(answered, 60);
                victim = ApiProcess.start(api, "victim");
                awaitReady(victim);
                awaitMore(answered, 60);
            } finally {
                over.set(true);
            }
            for (Future<List<Write>> writer : writers) {
                writes.addAll(writer.get());
            }
        }

        assertThat(writes).as("writes that the kill interrupted").anyMatch(Write::interrupted);
        for (Pool pool : pools) {
            List<String> confirmed = writes.stream()
                    .filter(write -> write.pool().equals(pool))
                    .map(Write::address)
                    .toList();
            assertThat(addresses(pool)).containsExactlyInAnyOrderElementsOf(confirmed);
            // One for the load balancer itself, then one for each member: none is missing, none was made twice.
            assertThat(generations(pool))
                    .isEqualTo(LongStream.rangeClosed(1, 1 + confirmed.size())
                            .boxed()
                            .toList());
            assertThat(api.query("select max(generation) from outbox where key = '%s'"
                            .formatted(pool.loadBalancer().substring(3))))
                    .isEqualTo(Long.toString(1 + confirmed.size()));
        }
        replayedOnTheOtherInstance(writes);
    }

    /** Each is sent until it is answered, to one instance and the other in turn, always with its own key. */
    private static List<Write> write(int writer, AtomicBoolean over, AtomicInteger answered) {
        List<Write> done = new ArrayList<>();
        for (int i = 0; !over.get(); i++) {
            Pool pool = pools.get(i % LOAD_BALANCERS);
            String key = "two-%d-%d".formatted(writer, i);
            String body = "{\"address\": \"10.60.%d.%d\"}".formatted(writer * 8 + i / 250, 1 + i % 250);
            done.add(untilAnswered(pool, key, body, writer + i));
            answered.incrementAndGet();
        }
        return done;
    }

    private static Write untilAnswered(Pool pool, String key, String body, int turn) {
        boolean interrupted = false;
        for (int attempt = 1; ; attempt++) {
            ApiProcess instance = (turn + attempt) % 2 == 0 ? survivor : victim;
            try {
                Answer answer = instance.post(acme.token(), pool.members(), body, Map.of("Idempotency-Key", key));
                assertThat(answer.status()).as("%s", answer).isEqualTo(201);
                return new Write(pool, key, body, answer, interrupted);
            } catch (IllegalStateException e) {
                interrupted |= !(e.getCause() instanceof ConnectException);
                // It was killed. Whether the write was committed is not known here, and need not be.
                assertThat(attempt).as("attempts of one write").isLessThan(10);
            }
        }
    }

    private static void awaitMore(AtomicInteger counter, int more) throws InterruptedException {
        int target = counter.get() + more;
        Instant end = Instant.now().plus(Duration.ofSeconds(60));
        while (counter.get() < target) {
            assertThat(Instant.now()).as("writes go on").isBefore(end);
            Thread.sleep(Duration.ofMillis(20));
        }
    }

    private static List<String> addresses(Pool pool) {
        Answer read = api.get(acme.token(), pool.members().replaceFirst("/members$", ""));
        return read.body()
                .path("members")
                .valueStream()
                .map(member -> member.path("address").asString())
                .toList();
    }

    private static List<Long> generations(Pool pool) {
        return Arrays.stream(api.query("""
                        select string_agg(generation::text, ',' order by generation) from revisions
                        where load_balancer_id = '%s'""".formatted(pool.loadBalancer().substring(3)))
                        .split(","))
                .map(Long::valueOf)
                .toList();
    }

    private static void replayedOnTheOtherInstance(List<Write> writes) throws InterruptedException, ExecutionException {
        List<Future<?>> replays = new ArrayList<>();
        try (ExecutorService threads = Executors.newFixedThreadPool(WRITERS)) {
            for (Write write : writes) {
                replays.add(threads.submit(() -> {
                    for (ApiProcess instance : List.of(survivor, victim)) {
                        Answer again = instance.post(
                                acme.token(),
                                write.pool().members(),
                                write.body(),
                                Map.of("Idempotency-Key", write.key()));
                        assertThat(again.status()).isEqualTo(201);
                        assertThat(again.body()).isEqualTo(write.answer().body());
                        assertThat(again.header("location"))
                                .isEqualTo(write.answer().header("location"));
                    }
                }));
            }
        }
        for (Future<?> replay : replays) {
            replay.get();
        }
    }
}
