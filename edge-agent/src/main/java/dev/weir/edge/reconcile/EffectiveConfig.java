// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.reconcile;

import com.google.protobuf.ByteString;
import dev.weir.messages.v1.LoadBalancerConfig;
import dev.weir.messages.v1.LoadBalancerRecord;
import dev.weir.messages.v1.Member;
import dev.weir.messages.v1.OverlayEntry;
import dev.weir.messages.v1.Pool;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

/**
 * What one PoP runs of a record at one time. Pure.
 *
 * @param config       for the engine
 * @param sha256       over its bytes
 * @param shiftedAway  the overlay keeps the load balancer's traffic out of this PoP
 * @param validUntilUs Unix time in microseconds at which an overlay's entry ends; {@link Long#MAX_VALUE}: none does
 */
public record EffectiveConfig(LoadBalancerConfig config, ByteString sha256, boolean shiftedAway, long validUntilUs) {

    /** Returns empty if the record places nothing on the PoP. */
    public static Optional<EffectiveConfig> of(LoadBalancerRecord record, String popId, long nowUs) {
        boolean staged =
                record.hasCandidate() && record.getCandidatePopIdsList().contains(popId);
        if (!staged && !record.hasStable()) {
            return Optional.empty();
        }
        LoadBalancerConfig chosen = staged ? record.getCandidate() : record.getStable();
        if (!chosen.getPopIdsList().contains(popId)) {
            return Optional.empty();
        }
        Set<String> noNewFlows = new HashSet<>();
        boolean shiftedAway = false;
        long validUntilUs = Long.MAX_VALUE;
        for (OverlayEntry entry : record.getOverlay().getEntriesList()) {
            if (entry.getEndsAtUs() != 0) {
                if (entry.getEndsAtUs() <= nowUs) {
                    continue;
                }
                validUntilUs = Math.min(validUntilUs, entry.getEndsAtUs());
            }
            switch (entry.getActionCase()) {
                case DRAIN_MEMBER_ID -> noNewFlows.add(entry.getDrainMemberId());
                case ZERO_WEIGHT_MEMBER_ID -> noNewFlows.add(entry.getZeroWeightMemberId());
                case SHIFT_AWAY_POP_ID ->
                    shiftedAway |= entry.getShiftAwayPopId().equals(popId);
                case ACTION_NOT_SET -> {}
            }
        }
        LoadBalancerConfig config = forPop(chosen, popId, noNewFlows);
        return Optional.of(new EffectiveConfig(config, sha256(config.toByteString()), shiftedAway, validUntilUs));
    }

    private static LoadBalancerConfig forPop(LoadBalancerConfig chosen, String popId, Set<String> noNewFlows) {
        LoadBalancerConfig.Builder config = chosen.toBuilder().clearPools();
        for (Pool pool : chosen.getPoolsList()) {
            Pool.Builder here = pool.toBuilder().clearMembers();
            for (Member member : pool.getMembersList()) {
                if (member.getPopIdsCount() > 0 && !member.getPopIdsList().contains(popId)) {
                    continue;
                }
                here.addMembers(
                        noNewFlows.contains(member.getMemberId())
                                ? member.toBuilder().setWeight(0).build()
                                : member);
            }
            config.addPools(here);
        }
        return config.build();
    }

    /** Over the bytes of a configuration, as the engine computes it. */
    public static ByteString sha256(ByteString bytes) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            bytes.asReadOnlyByteBufferList().forEach(digest::update);
            return ByteString.copyFrom(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
