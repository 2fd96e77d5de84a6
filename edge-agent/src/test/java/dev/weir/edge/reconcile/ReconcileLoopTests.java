// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.reconcile;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.edge.Records;
import dev.weir.edge.RememberingAnnouncer;
import dev.weir.edge.engine.DirectEngine;
import dev.weir.edge.engine.EngineModel;
import dev.weir.edge.reconcile.DesiredState.LoadBalancerTarget;
import dev.weir.edge.reconcile.DesiredState.NodeTarget;
import dev.weir.messages.v1.LoadBalancerConfig;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ReconcileLoopTests {
    private final EngineModel model = new EngineModel();
    private final RememberingAnnouncer announcer = new RememberingAnnouncer();

    private static final class Killed extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    private static LoadBalancerTarget target(int number, long sequence, Set<String> unhealthy) {
        LoadBalancerConfig config = Records.loadBalancer("lb_" + number, "203.0.113." + number, sequence);
        return new LoadBalancerTarget(
                new RecordVersion(1, sequence),
                config,
                EffectiveConfig.sha256(config.toByteString()),
                new TreeSet<>(unhealthy),
                false,
                false);
    }

    /** As an agent that just started: it knows what it wants and asks the engine what is. */
    private ActualState look(DesiredState desired) throws Exception {
        return ActualState.of(
                new DirectEngine(model).getState(),
                List.of("dnat", "maglev"),
                announcer.announcedVips(),
                (id, sha256) -> {
                    LoadBalancerTarget wanted = desired.loadBalancers().get(id);
                    return wanted != null && wanted.configSha256().equals(sha256) ? wanted.config() : null;
                });
    }

    private static DesiredState random(SplittableRandom random, DesiredState before, long round) {
        TreeMap<String, LoadBalancerTarget> targets = new TreeMap<>();
        TreeSet<String> removals = new TreeSet<>();
        for (int number = 1; number <= 6; number++) {
            String id = "lb_" + number;
            LoadBalancerTarget old = before.loadBalancers().get(id);
            switch (random.nextInt(4)) {
                case 0 -> removals.add(id);
                case 1 -> {
                    if (old == null) {
                        removals.add(id);
                    } else {
                        targets.put(id, old);
                    }
                }
                case 2 -> targets.put(id, target(number, round, Set.of()));
                default -> targets.put(id, target(number, round, Set.of("mbr_" + (1 + random.nextInt(2)))));
            }
        }
        return new DesiredState(
                new NodeTarget(new RecordVersion(1, round), Records.node(), random.nextInt(5) == 0, List.of()),
                targets,
                new TreeMap<>(),
                removals,
                false);
    }

    /** Whatever was begun and broken off between two steps, the next run ends in the same state as an unbroken one. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void loopKilledBetweenAnyTwoStepsEndsWhereAnUnbrokenOneEnds(long seed) throws Exception {
        SplittableRandom random = new SplittableRandom(seed);
        DesiredState desired = new DesiredState(null, new TreeMap<>(), new TreeMap<>(), Set.of(), false);
        for (long round = 1; round <= 40; round++) {
            desired = random(random, desired, round);
            int killAt = random.nextInt(6);
            int[] step = {0};
            try {
                new ReconcileLoop(announcer, (lb, member) -> 0, next -> {
                            assertNoVipLeadsNowhere();
                            if (step[0]++ == killAt) {
                                throw new Killed();
                            }
                        })
                        .converge(desired, look(desired), new DirectEngine(model));
            } catch (Killed e) {
                // The agent died here; another one goes on below.
                assertNoVipLeadsNowhere();
            }

            ReconcileLoop.Outcome outcome = new ReconcileLoop(announcer, (lb, member) -> 0)
                    .converge(desired, look(desired), new DirectEngine(model));

            assertThat(outcome.failure()).isNull();
            assertThat(Plan.plan(desired, outcome.actual())).isEmpty();
            assertThat(model.generations().keySet())
                    .isEqualTo(desired.loadBalancers().keySet());
            for (LoadBalancerTarget target : desired.loadBalancers().values()) {
                assertThat(model.runs(target.id()).getConfig()).isEqualTo(target.config());
                assertThat(model.unhealthy(target.id())).isEqualTo(target.unhealthyMembers());
            }
            boolean drained = desired.node() != null && desired.node().drained();
            assertThat(announcer.announcedVips())
                    .hasSize(drained ? 0 : desired.loadBalancers().size());
        }
    }

    private void assertNoVipLeadsNowhere() {
        TreeSet<String> served = new TreeSet<>();
        model.generations().forEach((id, generation) -> served.add("203.0.113." + id.substring("lb_".length())));
        assertThat(announcer.announcedVips())
                .allSatisfy(vip -> assertThat(served).contains(vip.toString()));
    }

    @Test
    void rejectedOneStopsNoOther() throws Exception {
        model.rejections.put("lb_1", "TOO_MANY_MEMBERS");
        DesiredState desired = new DesiredState(
                new NodeTarget(new RecordVersion(1, 1), Records.node(), false, List.of()),
                new TreeMap<>(Map.of("lb_1", target(1, 1, Set.of()), "lb_2", target(2, 1, Set.of()))),
                new TreeMap<>(),
                Set.of(),
                false);

        ReconcileLoop.Outcome outcome = new ReconcileLoop(announcer, (lb, member) -> 0)
                .converge(desired, look(desired), new DirectEngine(model));

        assertThat(outcome.failure()).isNull();
        assertThat(model.generations()).containsOnlyKeys("lb_2");
        assertThat(outcome.actual().rejections()).containsOnlyKeys("lb_1");
        assertThat(announcer.announcedVips()).hasToString("[203.0.113.2]");
    }

    @Test
    void brokenEngineIsToldApartFromAFinishedRun() throws Exception {
        DesiredState desired = new DesiredState(
                new NodeTarget(new RecordVersion(1, 1), Records.node(), false, List.of()),
                new TreeMap<>(Map.of("lb_1", target(1, 1, Set.of()))),
                new TreeMap<>(),
                Set.of(),
                false);
        DirectEngine engine = new DirectEngine(model);
        ActualState actual = look(desired);
        engine.fail();

        assertThat(new ReconcileLoop(announcer, (lb, member) -> 0)
                        .converge(desired, actual, engine)
                        .failure())
                .isNotNull();
        assertThat(announcer.announcedVips()).isEmpty();
    }
}
