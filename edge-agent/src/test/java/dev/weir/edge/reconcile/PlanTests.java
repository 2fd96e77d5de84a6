// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.reconcile;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.weir.edge.Records;
import dev.weir.edge.announce.Address;
import dev.weir.edge.announce.Announcements;
import dev.weir.edge.reconcile.ActualState.Applied;
import dev.weir.edge.reconcile.ActualState.Rejection;
import dev.weir.edge.reconcile.DesiredState.LoadBalancerTarget;
import dev.weir.edge.reconcile.DesiredState.NodeTarget;
import dev.weir.edge.reconcile.DesiredState.PrefixListTarget;
import dev.weir.messages.v1.LoadBalancerConfig;
import dev.weir.messages.v1.NodePeer;
import dev.weir.messages.v1.PrefixListRecord;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class PlanTests {
    private static final RecordVersion ONE = new RecordVersion(1, 1);
    private static final LoadBalancerConfig WEB = Records.loadBalancer("lb_1", "203.0.113.10", 1);
    private static final Address VIP = new Address(Records.ip("203.0.113.10"));

    private static LoadBalancerTarget target(RecordVersion version, LoadBalancerConfig config, String... unhealthy) {
        return new LoadBalancerTarget(
                version,
                config,
                EffectiveConfig.sha256(config.toByteString()),
                new TreeSet<>(List.of(unhealthy)),
                false,
                false);
    }

    private static DesiredState desired(LoadBalancerTarget... targets) {
        TreeMap<String, LoadBalancerTarget> byId = new TreeMap<>();
        for (LoadBalancerTarget target : targets) {
            byId.put(target.id(), target);
        }
        return new DesiredState(
                new NodeTarget(ONE, Records.node(), false, List.of()), byId, new TreeMap<>(), Set.of(), false);
    }

    private static Applied applied(RecordVersion version, LoadBalancerConfig config, String... unhealthy) {
        return new Applied(
                version,
                config.getGeneration(),
                EffectiveConfig.sha256(config.toByteString()),
                new TreeSet<>(List.of(unhealthy)),
                config);
    }

    private static ActualState actual(
            Map<String, Applied> applied, Set<Address> announced, Map<String, Rejection> rejections) {
        return new ActualState(
                Set.of("dnat", "maglev"),
                ONE,
                List.of(),
                new TreeMap<>(applied),
                new TreeMap<>(),
                new TreeSet<>(announced),
                new Announcements(Records.node(), new TreeSet<>(announced)),
                new TreeMap<>(rejections));
    }

    @Test
    void nothingIsDoneWhenBothAgree() {
        DesiredState desired = desired(target(ONE, WEB, "mbr_2"));
        ActualState actual = actual(Map.of("lb_1", applied(ONE, WEB, "mbr_2")), Set.of(VIP), Map.of());

        assertThat(Plan.plan(desired, actual)).isEmpty();
    }

    @Test
    void newerVersionIsAppliedAndAnOlderOneIsNot() {
        Map<String, Applied> second = Map.of("lb_1", applied(new RecordVersion(1, 2), WEB));

        assertThat(Plan.plan(desired(target(new RecordVersion(1, 3), WEB)), actual(second, Set.of(VIP), Map.of())))
                .singleElement()
                .isInstanceOf(Step.ApplyLoadBalancers.class);
        assertThat(Plan.plan(desired(target(ONE, WEB)), actual(second, Set.of(VIP), Map.of())))
                .isEmpty();
        assertThat(Plan.plan(desired(target(new RecordVersion(2, 1), WEB)), actual(second, Set.of(VIP), Map.of())))
                .singleElement()
                .isInstanceOf(Step.ApplyLoadBalancers.class);
    }

    @Test
    void sameVersionWithOtherContentIsApplied() {
        LoadBalancerConfig drained = WEB.toBuilder()
                .setPools(0, WEB.getPools(0).toBuilder().removeMembers(1))
                .build();

        assertThat(Plan.plan(
                        desired(target(ONE, drained)),
                        actual(Map.of("lb_1", applied(ONE, WEB)), Set.of(VIP), Map.of())))
                .singleElement()
                .isInstanceOf(Step.ApplyLoadBalancers.class);
    }

    @Test
    void missingFeatureIsNamedAndNotSentToTheEngine() {
        LoadBalancerConfig config =
                WEB.toBuilder().addRequiredFeatures("tunnel").build();

        assertThat(Plan.plan(desired(target(ONE, config)), actual(Map.of(), Set.of(), Map.of())))
                .singleElement()
                .isInstanceOfSatisfying(
                        Step.RejectUnsupported.class,
                        step -> assertThat(step.feature()).isEqualTo("tunnel"));
    }

    @Test
    void whatWasRejectedIsNotTriedAgainUntilANewerRecordComes() {
        ByteString hash = EffectiveConfig.sha256(WEB.toByteString());
        Map<String, Rejection> rejections = Map.of("lb_1", new Rejection(ONE, hash, "INVALID_CONFIG", "why", 0));

        assertThat(Plan.plan(desired(target(ONE, WEB)), actual(Map.of(), Set.of(), rejections)))
                .isEmpty();
        assertThat(Plan.plan(desired(target(new RecordVersion(1, 2), WEB)), actual(Map.of(), Set.of(), rejections)))
                .isNotEmpty();
    }

    @Test
    void unknownLoadBalancerAndItsVipStayUntilRecordsAreKnownToBeComplete() {
        ActualState actual = actual(Map.of("lb_1", applied(ONE, WEB)), Set.of(VIP), Map.of());

        assertThat(Plan.plan(desired(), actual)).isEmpty();

        DesiredState complete = new DesiredState(
                new NodeTarget(ONE, Records.node(), false, List.of()),
                new TreeMap<>(),
                new TreeMap<>(),
                Set.of(),
                true);
        assertThat(Plan.plan(complete, actual))
                .extracting(step -> step.getClass().getSimpleName())
                .containsExactly("Announce", "DeleteLoadBalancers");
    }

    @Test
    void vipIsWithdrawnBeforeItsLoadBalancerGoes() {
        ActualState actual = actual(Map.of("lb_1", applied(ONE, WEB)), Set.of(VIP), Map.of());
        DesiredState gone = new DesiredState(
                new NodeTarget(ONE, Records.node(), false, List.of()),
                new TreeMap<>(),
                new TreeMap<>(),
                Set.of("lb_1"),
                false);

        List<Step> steps = Plan.plan(gone, actual);

        assertThat(steps)
                .extracting(step -> step.getClass().getSimpleName())
                .containsExactly("Announce", "DeleteLoadBalancers");
        assertThat(steps.getFirst())
                .isInstanceOfSatisfying(
                        Step.Announce.class,
                        step -> assertThat(step.announcements().vips()).isEmpty());
    }

    @Test
    void vipIsAnnouncedOnlyAfterItRuns() {
        DesiredState desired = desired(target(ONE, WEB));

        assertThat(Plan.plan(desired, actual(Map.of(), Set.of(), Map.of())))
                .singleElement()
                .isInstanceOf(Step.ApplyLoadBalancers.class);
        assertThat(Plan.plan(desired, actual(Map.of("lb_1", applied(ONE, WEB)), Set.of(), Map.of())))
                .singleElement()
                .isInstanceOfSatisfying(
                        Step.Announce.class,
                        step -> assertThat(step.announcements().vips()).containsExactly(VIP));
    }

    @Test
    void drainedNodeWithdrawsItsVipsAndKeepsItsLoadBalancers() {
        SortedMap<String, LoadBalancerTarget> targets = new TreeMap<>(Map.of("lb_1", target(ONE, WEB)));
        DesiredState drained = new DesiredState(
                new NodeTarget(ONE, Records.node(), true, List.of()), targets, new TreeMap<>(), Set.of(), false);

        assertThat(Plan.plan(drained, actual(Map.of("lb_1", applied(ONE, WEB)), Set.of(VIP), Map.of())))
                .singleElement()
                .isInstanceOfSatisfying(
                        Step.Announce.class,
                        step -> assertThat(step.announcements().vips()).isEmpty());
    }

    @Test
    void verdictsAreSentAsDifferences() {
        assertThat(Plan.plan(
                        desired(target(ONE, WEB, "mbr_2")),
                        actual(Map.of("lb_1", applied(ONE, WEB, "mbr_1")), Set.of(VIP), Map.of())))
                .singleElement()
                .isInstanceOfSatisfying(
                        Step.SetHealth.class,
                        step -> assertThat(step.verdicts())
                                .extracting(verdict -> verdict.getMemberId() + "=" + verdict.getHealthy())
                                .containsExactly("mbr_2=false", "mbr_1=true"));
    }

    @Test
    void manyLoadBalancersAreSentInBoundedRequests() {
        LoadBalancerTarget[] many = new LoadBalancerTarget[Plan.MAX_BATCH * 2 + 1];
        for (int i = 0; i < many.length; i++) {
            many[i] = target(ONE, Records.loadBalancer("lb_" + i, "203.0.113." + (i % 250), 1));
        }

        assertThat(Plan.plan(desired(many), actual(Map.of(), Set.of(), Map.of())))
                .hasSize(3)
                .allSatisfy(step -> assertThat(((Step.ApplyLoadBalancers) step).targets())
                        .hasSizeLessThanOrEqualTo(Plan.MAX_BATCH));
    }

    private static final LoadBalancerConfig FILTERED = WEB.toBuilder()
            .setListeners(0, WEB.getListeners(0).toBuilder().addDeniedPrefixListIds("pfx_1"))
            .build();

    private static ActualState able(ActualState actual, Map<String, RecordVersion> lists) {
        return new ActualState(
                Set.of("dnat", "maglev", "prefix_lists"),
                ONE,
                List.of(),
                actual.applied(),
                new TreeMap<>(lists),
                actual.announcedVips(),
                actual.announced(),
                actual.rejections());
    }

    private static DesiredState withList(DesiredState desired, long sequence) {
        PrefixListTarget list = new PrefixListTarget(
                new RecordVersion(1, sequence),
                PrefixListRecord.newBuilder().setPrefixListId("pfx_1").build());
        return new DesiredState(
                desired.node(), desired.loadBalancers(), new TreeMap<>(Map.of("pfx_1", list)), Set.of(), false);
    }

    @Test
    void prefixListIsThereBeforeTheLoadBalancerThatRefersToIt() {
        ActualState actual = able(actual(Map.of(), Set.of(), Map.of()), Map.of());

        assertThat(Plan.plan(withList(desired(target(ONE, FILTERED)), 1), actual))
                .extracting(step -> step.getClass().getSimpleName())
                .containsExactly("ApplyPrefixList", "ApplyLoadBalancers");
    }

    @Test
    void loadBalancerWaitsForAListThatHasNotArrivedAndIsAppliedOnceItHas() {
        ActualState actual = able(actual(Map.of(), Set.of(), Map.of()), Map.of());
        DesiredState without = desired(target(ONE, FILTERED));

        assertThat(Plan.plan(without, actual))
                .singleElement()
                .isEqualTo(new Step.AwaitPrefixList(target(ONE, FILTERED), "pfx_1"));

        Rejection waiting = new Rejection(
                ONE, EffectiveConfig.sha256(FILTERED.toByteString()), "PREFIX_LIST_MISSING", "not here", 0);
        ActualState waits = able(actual(Map.of(), Set.of(), Map.of("lb_1", waiting)), Map.of());
        assertThat(Plan.plan(without, waits)).isEmpty();
        assertThat(Plan.plan(withList(without, 1), waits))
                .extracting(step -> step.getClass().getSimpleName())
                .containsExactly("ApplyPrefixList", "ApplyLoadBalancers");
    }

    @Test
    void newerListIsAppliedAndOneThatNobodyUsesGoes() {
        ActualState actual =
                able(actual(Map.of("lb_1", applied(ONE, FILTERED)), Set.of(VIP), Map.of()), Map.of("pfx_1", ONE));
        ActualState unused =
                able(actual(Map.of("lb_1", applied(ONE, WEB)), Set.of(VIP), Map.of()), Map.of("pfx_1", ONE));

        assertThat(Plan.plan(withList(desired(target(ONE, FILTERED)), 1), actual))
                .isEmpty();
        assertThat(Plan.plan(withList(desired(target(ONE, FILTERED)), 2), actual))
                .singleElement()
                .isInstanceOf(Step.ApplyPrefixList.class);
        assertThat(Plan.plan(withList(desired(target(ONE, WEB)), 1), unused))
                .singleElement()
                .isEqualTo(new Step.DeletePrefixLists(List.of("pfx_1")));
    }

    @Test
    void peersAreToldAgainWhenTheyChange() {
        NodePeer peer = NodePeer.newBuilder().setNodeId("node_2").build();
        DesiredState desired = new DesiredState(
                new NodeTarget(ONE, Records.node(), false, List.of(peer)),
                new TreeMap<>(),
                new TreeMap<>(),
                Set.of(),
                false);

        assertThat(Plan.plan(desired, actual(Map.of(), Set.of(), Map.of())))
                .singleElement()
                .isInstanceOf(Step.ApplyNode.class);
    }
}
