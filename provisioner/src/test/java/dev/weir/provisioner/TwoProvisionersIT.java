// SPDX-License-Identifier: Apache-2.0
package dev.weir.provisioner;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.weir.messages.v1.ConfigRecord;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.dao.DataAccessException;
import org.springframework.transaction.TransactionException;

/** Two provisioners at work while one dies or stalls, or while a server is away. Each test begins with both at work. */
class TwoProvisionersIT {
    private static final Duration LONG = Duration.ofMinutes(3);
    private static final int LOAD_BALANCERS = 24;

    private static final List<ProvisionerProcess> provisioners = new ArrayList<>();
    private static final List<UUID> loadBalancers = new ArrayList<>();
    private static final Map<UUID, Long> written = new HashMap<>();
    private static World world;
    private static FakeNode node;
    private static UUID pop;

    @BeforeAll
    static void startEverything() throws IOException {
        world = new World();
        pop = world.pop(Map.of());
        UUID nodeId = world.node(pop);
        provisioners.add(ProvisionerProcess.start(world, "one"));
        provisioners.add(ProvisionerProcess.start(world, "two"));
        node = new FakeNode(world, nodeId, pop);
        for (int i = 0; i < LOAD_BALANCERS; i++) {
            UUID id = world.loadBalancer(World.named(pop), 1);
            loadBalancers.add(id);
            written.put(id, 1L);
        }
    }

    @AfterAll
    static void endEverything() throws InterruptedException {
        for (ProvisionerProcess provisioner : provisioners) {
            provisioner.close();
        }
        node.close();
        world.remove(node.id);
    }

    @BeforeEach
    void bothWork() {
        await().atMost(LONG).until(() -> leasesByHolder().equals(List.of(8L, 8L)));
        await().atMost(LONG).until(TwoProvisionersIT::everythingIsObserved);
    }

    @Test
    void killedInstanceIsReplacedAndNothingIsLostOrDoubled() throws Exception {
        writeFor(Duration.ofSeconds(3));

        provisioners.removeFirst().kill();
        Instant killed = Instant.now();
        await().atMost(LONG).pollInterval(Duration.ofMillis(50)).until(() -> {
            writeFor(Duration.ofMillis(100));
            return leasesByHolder().equals(List.of(16L));
        });
        System.out.printf(
                "leases of the killed instance were taken after %s%n", Duration.between(killed, Instant.now()));
        assertThat(Duration.between(killed, Instant.now())).isLessThan(Duration.ofSeconds(20));
        provisioners.add(ProvisionerProcess.start(world, "three"));
        writeFor(Duration.ofSeconds(2));

        await().atMost(LONG).until(TwoProvisionersIT::everythingIsObserved);
        assertNothingWasDoubled();
    }

    @Test
    void stalledInstanceIsFencedAndGivesWay() throws Exception {
        ProvisionerProcess stalled = provisioners.getFirst();
        writeFor(Duration.ofSeconds(2));

        stalled.stall();
        await().atMost(LONG).until(() -> {
            writeFor(Duration.ofMillis(100));
            return leasesByHolder().equals(List.of(16L));
        });
        writeFor(Duration.ofSeconds(2));
        stalled.goOn();
        writeFor(Duration.ofSeconds(3));

        await().atMost(LONG).until(TwoProvisionersIT::everythingIsObserved);
        assertThat(stalled.log()).containsAnyOf("lease lost to another instance", "publisher was fenced");
        assertNothingWasDoubled();
    }

    @Test
    void changesWaitWhileKafkaIsAwayAndComeThroughAfterwards() throws Exception {
        world.kafka.kill();
        writeFor(Duration.ofSeconds(3));
        assertThat(world.pendingOutbox()).isPositive();

        world.kafka.start();

        await().atMost(LONG).until(TwoProvisionersIT::everythingIsObserved);
        assertNothingWasDoubled();
        assertThat(world.pendingOutbox()).isZero();
    }

    @Test
    void crashOfPostgresqlLosesNothing() throws Exception {
        writeFor(Duration.ofSeconds(1));
        world.postgres.crash();
        writeFor(Duration.ofSeconds(2));
        world.postgres.crash();
        writeFor(Duration.ofSeconds(1));

        await().atMost(LONG).ignoreExceptions().until(TwoProvisionersIT::everythingIsObserved);
        assertNothingWasDoubled();
    }

    private static void writeFor(Duration duration) throws InterruptedException {
        Random random = new Random(42);
        long end = System.nanoTime() + duration.toNanos();
        while (System.nanoTime() - end < 0) {
            UUID id = loadBalancers.get(random.nextInt(LOAD_BALANCERS));
            try {
                // Each differs from the one before: every generation is a change.
                written.put(id, world.change(id, World.named(pop), 1 + random.nextInt(9)));
            } catch (DataAccessException | TransactionException e) {
                // PostgreSQL is just away; whether this one was committed is read below.
            }
            Thread.sleep(10);
        }
    }

    private static boolean everythingIsObserved() {
        return world.jdbc.sql("""
                                select count(*) from load_balancers b
                                left join load_balancer_status s
                                    on s.project_id = b.project_id and s.load_balancer_id = b.id
                                where b.project_id = ? and s.observed_generation is distinct from b.generation
                                """).param(world.project).query(Long.class).single() == 0;
    }

    private static List<Long> leasesByHolder() {
        return world.jdbc.sql("""
                        select count(*) from partition_leases
                        where topic = 'weir.config.v1' and expires_at > clock_timestamp() group by holder
                        """).query(Long.class).list();
    }

    private static void assertNothingWasDoubled() {
        for (UUID id : loadBalancers) {
            List<ConfigRecord> records =
                    node.seenOf(id).stream().map(FakeNode.Seen::record).toList();
            assertThat(records)
                    .extracting(ConfigRecord::getSequence)
                    .as("sequences in the order of the log")
                    .isSorted()
                    .doesNotHaveDuplicates();
            assertThat(records)
                    .extracting(record -> record.getLoadBalancer().getStable().getGeneration())
                    .as("generations in the order of the log")
                    .isSorted()
                    .doesNotHaveDuplicates()
                    .endsWith(world.generation(id));
            assertThat(world.generation(id)).isGreaterThanOrEqualTo(written.getOrDefault(id, 0L));
        }
    }
}
