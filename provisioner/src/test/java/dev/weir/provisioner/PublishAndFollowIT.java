// SPDX-License-Identifier: Apache-2.0
package dev.weir.provisioner;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.weir.compiler.ResourceId;
import dev.weir.messages.v1.ConfigRecord;
import dev.weir.messages.v1.LoadBalancerRecord;
import dev.weir.messages.v1.OverlayEntry;
import dev.weir.provisioner.kafka.Topic;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class PublishAndFollowIT {
    private static final Duration SOON = Duration.ofSeconds(30);

    private static World world;
    private static ProvisionerProcess provisioner;
    private static UUID pop1;
    private static UUID pop2;
    private static FakeNode node1;
    private static FakeNode node2;

    @BeforeAll
    static void startEverything() throws IOException {
        world = new World();
        provisioner = ProvisionerProcess.start(world, "follow");
        pop1 = world.pop(Map.of("region", "north"));
        pop2 = world.pop(Map.of("region", "south"));
        node1 = new FakeNode(world, world.node(pop1), pop1);
        node2 = new FakeNode(world, world.node(pop2), pop2);
        await().atMost(Duration.ofMinutes(3)).until(provisioner::ready);
        await().atMost(Duration.ofMinutes(2))
                .until(() -> world.jdbc
                                .sql("select count(*) from node_watermarks where node_id in (?, ?)")
                                .params(node1.id, node2.id)
                                .query(Long.class)
                                .single()
                        == 32);
    }

    @AfterAll
    static void endEverything() throws InterruptedException {
        node1.close();
        node2.close();
        provisioner.close();
        world.remove(node1.id);
        world.remove(node2.id);
    }

    @Test
    void committedChangeIsPublishedRunAndObserved() {
        UUID loadBalancer = world.loadBalancer(World.named(pop1, pop2), 3);

        await().atMost(SOON).until(() -> world.observedGeneration(loadBalancer) == 1);

        ConfigRecord record = node1.seenOf(loadBalancer).getFirst().record();
        assertThat(record.getSequence()).isEqualTo(1);
        assertThat(record.getLoadBalancer().getProjectId()).isEqualTo(ResourceId.PROJECT.format(world.project));
        assertThat(record.getLoadBalancer().getTenantId()).isEqualTo(ResourceId.TENANT.format(world.tenant));
        assertThat(record.getLoadBalancer().getStable().getPopIdsList())
                .containsExactlyInAnyOrder(ResourceId.POP.format(pop1), ResourceId.POP.format(pop2));
        assertThat(record.getLoadBalancer().getStable().getPools(0).getMembersCount())
                .isEqualTo(3);
    }

    @Test
    void drainsAndShiftsTravelBesideTheSpecAndGoWhenTheyAreOver() {
        UUID loadBalancer = world.loadBalancer(World.named(pop1, pop2), 2);
        await().atMost(SOON).until(() -> world.observedGeneration(loadBalancer) == 1);
        LoadBalancerRecord before =
                node1.seenOf(loadBalancer).getLast().record().getLoadBalancer();
        Instant until = Instant.now().plusSeconds(2).truncatedTo(ChronoUnit.MICROS);
        String member = before.getStable().getPools(0).getMembers(0).getMemberId();

        world.drainAndShift(loadBalancer, ResourceId.MEMBER.parse(member), pop1, until);
        await().atMost(SOON).until(() -> node1.seenOf(loadBalancer).size() == 2);

        LoadBalancerRecord during =
                node1.seenOf(loadBalancer).getLast().record().getLoadBalancer();
        long untilUs = ChronoUnit.MICROS.between(Instant.EPOCH, until);
        assertThat(during.getStable()).isEqualTo(before.getStable());
        assertThat(during.getOverlay().getSequence()).isEqualTo(1);
        assertThat(during.getOverlay().getEntriesList())
                .containsExactlyInAnyOrder(
                        OverlayEntry.newBuilder()
                                .setEndsAtUs(untilUs)
                                .setDrainMemberId(member)
                                .build(),
                        OverlayEntry.newBuilder()
                                .setEndsAtUs(untilUs)
                                .setShiftAwayPopId(ResourceId.POP.format(pop1))
                                .build());
        await().atMost(SOON).until(() -> node1.seenOf(loadBalancer).size() == 3);
        LoadBalancerRecord after = node1.seenOf(loadBalancer).getLast().record().getLoadBalancer();
        assertThat(after).isEqualTo(before);
        assertThat(Instant.now()).isAfter(until);
        assertThat(world.generation(loadBalancer)).isEqualTo(1);
    }

    @Test
    void changesOfManyMakersComeThroughInOrderWithinTheTimeBudget() {
        List<UUID> loadBalancers = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            loadBalancers.add(world.loadBalancer(World.named(pop1), 1));
        }
        loadBalancers.forEach(id -> await().atMost(SOON).until(() -> world.observedGeneration(id) == 1));
        List<Long> toNode = new ArrayList<>();
        List<Long> toObserved = new ArrayList<>();

        for (int round = 2; round <= 11; round++) {
            for (UUID id : loadBalancers) {
                long generation = world.change(id, World.named(pop1), 1 + round % 5);
                await().atMost(SOON)
                        .pollInterval(Duration.ofMillis(2))
                        .pollDelay(Duration.ZERO)
                        .until(() -> world.observedGeneration(id) == generation);
                FakeNode.Seen seen = node1.seenOf(id).getLast();
                Instant committed = Instant.EPOCH.plus(
                        seen.record().getLoadBalancer().getStable().getCommittedAtUs(), ChronoUnit.MICROS);
                toNode.add(ChronoUnit.MICROS.between(committed, seen.seenAt()));
                toObserved.add(ChronoUnit.MICROS.between(
                        committed,
                        world.jdbc
                                .sql("select observed_at from load_balancer_status where load_balancer_id = ?")
                                .param(id)
                                .query(java.time.OffsetDateTime.class)
                                .single()
                                .toInstant()));
            }
        }

        Collections.sort(toNode);
        Collections.sort(toObserved);
        System.out.printf(
                "commit to node: median %d us, p99 %d us; commit to observed: median %d us, p99 %d us%n",
                toNode.get(50), toNode.get(98), toObserved.get(50), toObserved.get(98));
        assertThat(toNode.get(50)).isLessThan(100_000);
        assertThat(toObserved.get(98)).isLessThan(1_000_000);
    }

    @Test
    void prefixListIsPublishedByItselfAndBuriedOnceAllHavePassedItsDeletion() throws Exception {
        UUID list = world.prefixList("192.0.2.0/24", "2001:db8::/32");
        String key = ResourceId.PREFIX_LIST.format(list);
        await().atMost(SOON).until(() -> node2.state.containsKey(key));

        ConfigRecord record = Objects.requireNonNull(node2.state.get(key)).record();
        assertThat(record.getPrefixList().getPacked().toByteArray())
                .isEqualTo(HexFormat.of().parseHex("0418c0000200" + "0620" + "20010db8" + "00".repeat(12)));
        assertThat(record.getPrefixList().getContentSha256().toByteArray())
                .isEqualTo(MessageDigest.getInstance("SHA-256")
                        .digest(record.getPrefixList().getPacked().toByteArray()));
        assertThat(record.getPrefixList().getProjectId()).isEqualTo(ResourceId.PROJECT.format(world.project));

        world.deletePrefixList(list);
        await().atMost(SOON).until(() -> node1.tombstones.contains(key) && node2.tombstones.contains(key));
        assertThat(world.jdbc
                        .sql("select count(*) from published_prefix_lists where key = ?")
                        .param(list)
                        .query(Long.class)
                        .single())
                .isZero();
    }

    @Test
    void rapidChangesOfOneLoadBalancerAreCoalesced() {
        UUID loadBalancer = world.loadBalancer(World.named(pop1), 1);
        await().atMost(SOON).until(() -> world.observedGeneration(loadBalancer) == 1);
        Instant start = Instant.now();
        long last = 0;

        for (int i = 0; i < 200; i++) {
            last = world.change(loadBalancer, World.named(pop1), 1 + i % 7);
        }
        long generation = last;
        await().atMost(SOON).until(() -> world.observedGeneration(loadBalancer) == generation);

        long tenths = Duration.between(start, Instant.now()).toMillis() / 100;
        List<FakeNode.Seen> seen = node1.seenOf(loadBalancer);
        assertThat(seen.size() - 1).isLessThanOrEqualTo((int) tenths + 2);
        assertThat(seen.getLast().record().getLoadBalancer().getStable().getGeneration())
                .isEqualTo(generation);
        assertThat(seen).extracting(s -> s.record().getSequence()).isSorted().doesNotHaveDuplicates();
    }

    @Test
    void emptyPlacementIsObservedAtOnce() {
        UUID loadBalancer = world.loadBalancer(World.labelled("region", "nowhere"), 1);

        await().atMost(SOON).until(() -> world.observedGeneration(loadBalancer) == 1);
    }

    @Test
    void relabelledPopIsPlacedWithTheSameGeneration() {
        UUID pop = world.pop(Map.of());
        UUID loadBalancer = world.loadBalancer(World.labelled("tier", "gold"), 1);
        await().atMost(SOON).until(() -> !node1.seenOf(loadBalancer).isEmpty());

        world.relabel(pop, Map.of("tier", "gold"));

        await().atMost(SOON).until(() -> node1.seenOf(loadBalancer).size() == 2);
        ConfigRecord record = node1.seenOf(loadBalancer).getLast().record();
        assertThat(record.getSequence()).isEqualTo(2);
        assertThat(record.getLoadBalancer().getStable().getGeneration()).isEqualTo(1);
        assertThat(record.getLoadBalancer().getStable().getPopIdsList()).containsExactly(ResourceId.POP.format(pop));
    }

    @Test
    void refusedGenerationIsNotObservedUntilItIsReplaced() {
        UUID loadBalancer = world.loadBalancer(World.named(pop2), 1);
        await().atMost(SOON).until(() -> world.observedGeneration(loadBalancer) == 1);
        node2.refuse(loadBalancer);

        world.change(loadBalancer, World.named(pop2), 2);

        await().atMost(SOON)
                .until(() -> world.jdbc
                        .sql("""
                                select code from node_rejections
                                where load_balancer_id = ? and node_id = ? and running_generation = 1
                                """)
                        .params(loadBalancer, node2.id)
                        .query(String.class)
                        .list()
                        .equals(List.of("UNSUPPORTED_FEATURE")));
        assertThat(world.observedGeneration(loadBalancer)).isEqualTo(1);
    }

    @Test
    void deletionIsFollowedByATombstoneOnceAllNodesHavePassedIt() {
        UUID loadBalancer = world.loadBalancer(World.named(pop1), 1);
        String key = ResourceId.LOAD_BALANCER.format(loadBalancer);
        await().atMost(SOON).until(() -> world.observedGeneration(loadBalancer) == 1);
        node2.stopReading();
        try {
            world.delete(loadBalancer);
            await().atMost(SOON)
                    .until(() -> node1.seenOf(loadBalancer).getLast().record().hasDeleted());
            await().during(Duration.ofSeconds(4))
                    .atMost(Duration.ofSeconds(30))
                    .until(() -> !node1.tombstones.contains(key));
        } finally {
            node2.goOnReading();
        }

        await().atMost(SOON).until(() -> node1.tombstones.contains(key));
        assertThat(world.jdbc
                        .sql("select count(*) from published_records where load_balancer_id = ?")
                        .param(loadBalancer)
                        .query(Long.class)
                        .single())
                .isZero();
    }

    @Test
    void deletionIsNotPassedWhileFlowsDrainOnANode() {
        UUID loadBalancer = world.loadBalancer(World.named(pop1), 1);
        String key = ResourceId.LOAD_BALANCER.format(loadBalancer);
        await().atMost(SOON).until(() -> world.observedGeneration(loadBalancer) == 1);
        node2.drain(loadBalancer);

        world.delete(loadBalancer);

        await().atMost(SOON)
                .until(() -> node2.seenOf(loadBalancer).getLast().record().hasDeleted());
        await().during(Duration.ofSeconds(3))
                .atMost(Duration.ofSeconds(30))
                .until(() -> !node1.tombstones.contains(key));
        node2.drained(loadBalancer);
        await().atMost(SOON).until(() -> node1.tombstones.contains(key));
    }

    @Test
    void digestsNameWhatThePartitionsHold() throws Exception {
        world.loadBalancer(World.named(pop1), 1);

        await().atMost(SOON).untilAsserted(() -> {
            Map<Integer, TreeMap<String, ConfigRecord>> live = new HashMap<>();
            Map<Integer, ConfigRecord> digests = new HashMap<>();
            for (FakeNode.Seen seen : node1.state.values()) {
                if (seen.record().hasDigest()) {
                    digests.put(seen.partition(), seen.record());
                } else if (!seen.record().hasDeleted()) {
                    live.computeIfAbsent(seen.partition(), p -> new TreeMap<>()).put(seen.key(), seen.record());
                }
            }
            assertThat(digests).hasSize(16);
            for (int partition = 0; partition < 16; partition++) {
                byte[] expected = hash(live.getOrDefault(partition, new TreeMap<>()));
                ConfigRecord digest = digests.getOrDefault(partition, ConfigRecord.getDefaultInstance());
                assertThat(digest.getDigest().getSha256().toByteArray()).isEqualTo(expected);
            }
        });
    }

    private static byte[] hash(TreeMap<String, ConfigRecord> records) throws Exception {
        MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
        records.forEach((key, record) -> {
            sha256.update(key.getBytes(StandardCharsets.UTF_8));
            sha256.update((byte) 0);
            sha256.update(ByteBuffer.allocate(16)
                    .putLong(record.getEpoch())
                    .putLong(record.getSequence())
                    .flip());
        });
        return sha256.digest();
    }

    @Test
    void silentNodeIsNotWaitedForAndCountsAgainWhenItReturns() throws Exception {
        UUID pop = world.pop(Map.of());
        UUID nodeA = world.node(pop);
        UUID nodeB = world.node(pop);
        UUID loadBalancer = world.loadBalancer(World.named(pop), 1);
        try (FakeNode a = new FakeNode(world, nodeA, pop)) {
            FakeNode b = new FakeNode(world, nodeB, pop);
            await().atMost(SOON).until(() -> world.observedGeneration(loadBalancer) == 1);
            b.stopReading();
            await().atMost(SOON).until(() -> !a.seenOf(loadBalancer).isEmpty());
            world.change(loadBalancer, World.named(pop), 2);
            await().during(Duration.ofSeconds(2))
                    .atMost(Duration.ofSeconds(30))
                    .until(() -> world.observedGeneration(loadBalancer) == 1);

            b.close();

            await().atMost(SOON).until(() -> world.observedGeneration(loadBalancer) == 2);
        } finally {
            world.remove(nodeA);
            world.remove(nodeB);
        }
    }

    @Test
    void revisionThatCannotBeUnderstoodHoldsUpNobody() {
        List<UUID> broken = new ArrayList<>();
        for (int i = 0; i < 16; i++) {
            broken.add(world.brokenLoadBalancer());
        }
        List<UUID> sound = new ArrayList<>();
        for (int i = 0; i < 16; i++) {
            sound.add(world.loadBalancer(World.named(pop1), 1));
        }

        sound.forEach(id -> await().atMost(SOON).until(() -> world.observedGeneration(id) == 1));
        assertThat(broken).allSatisfy(id -> assertThat(node1.seenOf(id)).isEmpty());
    }

    @Test
    void nodeMayNotWriteConfigurations() {
        ProducerRecord<String, byte[]> forged = new ProducerRecord<>(Topic.CONFIG.topicName(), "lb_x", new byte[1]);

        assertThatThrownBy(() -> node1.producer.send(forged).get())
                .isInstanceOf(ExecutionException.class)
                .hasCauseInstanceOf(TopicAuthorizationException.class);
    }
}
