// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.reconcile;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.edge.Records;
import dev.weir.messages.v1.LoadBalancerConfig;
import dev.weir.messages.v1.LoadBalancerRecord;
import dev.weir.messages.v1.Member;
import dev.weir.messages.v1.Overlay;
import dev.weir.messages.v1.OverlayEntry;
import org.junit.jupiter.api.Test;

class EffectiveConfigTests {
    private static final LoadBalancerConfig WEB = Records.loadBalancer("lb_1", "203.0.113.10", 1);

    private static LoadBalancerRecord.Builder record() {
        return LoadBalancerRecord.newBuilder().setLoadBalancerId("lb_1").setStable(WEB);
    }

    @Test
    void placedElsewhereIsNothing() {
        assertThat(EffectiveConfig.of(record().build(), Records.OTHER_POP, 0)).isEmpty();
    }

    @Test
    void candidateRunsOnlyInThePopsOfItsWave() {
        LoadBalancerConfig candidate =
                WEB.toBuilder().setGeneration(2).addPopIds(Records.OTHER_POP).build();
        LoadBalancerRecord staged = record().setStable(WEB.toBuilder().addPopIds(Records.OTHER_POP))
                .setCandidate(candidate)
                .addCandidatePopIds(Records.OTHER_POP)
                .build();

        assertThat(EffectiveConfig.of(staged, Records.POP, 0)
                        .orElseThrow()
                        .config()
                        .getGeneration())
                .isEqualTo(1);
        assertThat(EffectiveConfig.of(staged, Records.OTHER_POP, 0)
                        .orElseThrow()
                        .config()
                        .getGeneration())
                .isEqualTo(2);
    }

    @Test
    void membersOfOtherPopsAreLeftOut() {
        LoadBalancerConfig.Builder config = WEB.toBuilder();
        config.getPoolsBuilder(0).getMembersBuilder(1).addPopIds(Records.OTHER_POP);

        assertThat(EffectiveConfig.of(record().setStable(config).build(), Records.POP, 0)
                        .orElseThrow()
                        .config()
                        .getPools(0)
                        .getMembersList())
                .extracting(Member::getMemberId)
                .containsExactly("mbr_1");
    }

    @Test
    void overlayEntryEndsByItself() {
        LoadBalancerRecord draining = record().setOverlay(Overlay.newBuilder()
                        .addEntries(OverlayEntry.newBuilder()
                                .setDrainMemberId("mbr_2")
                                .setEndsAtUs(1_000))
                        .addEntries(OverlayEntry.newBuilder()
                                .setShiftAwayPopId(Records.POP)
                                .setEndsAtUs(2_000)))
                .build();

        EffectiveConfig first = EffectiveConfig.of(draining, Records.POP, 999).orElseThrow();
        EffectiveConfig second =
                EffectiveConfig.of(draining, Records.POP, 1_000).orElseThrow();
        EffectiveConfig third = EffectiveConfig.of(draining, Records.POP, 2_000).orElseThrow();

        assertThat(first.config().getPools(0).getMembers(1).getWeight()).isZero();
        assertThat(first.shiftedAway()).isTrue();
        assertThat(first.validUntilUs()).isEqualTo(1_000);
        assertThat(second.config()).isEqualTo(WEB);
        assertThat(second.shiftedAway()).isTrue();
        assertThat(third.shiftedAway()).isFalse();
        assertThat(third.validUntilUs()).isEqualTo(Long.MAX_VALUE);
    }
}
