// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.reconcile;

import com.google.protobuf.ByteString;
import dev.weir.edge.announce.Address;
import dev.weir.edge.announce.Announcements;
import dev.weir.messages.v1.AppliedLoadBalancer;
import dev.weir.messages.v1.GetStateReply;
import dev.weir.messages.v1.LoadBalancerConfig;
import java.util.Collection;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/**
 * What the engine runs and what is announced. Changed only by {@link ReconcileLoop}, step by step, from what the engine
 * answered.
 *
 * @param features      what the engine can do
 * @param nodeVersion   of the node configuration that the engine runs; (0, 0): none
 * @param applied       by load balancer id
 * @param announcedVips those in the routes file now
 * @param announced     what the files were last written from; null: not written since the agent's start
 * @param rejections    by load balancer id (or node id): the newest record, refused
 */
public record ActualState(
        Set<String> features,
        RecordVersion nodeVersion,
        SortedMap<String, Applied> applied,
        SortedSet<Address> announcedVips,
        @Nullable Announcements announced,
        SortedMap<String, Rejection> rejections) {

    /** @param running what the engine runs; null: the agent has no copy */
    public record Applied(
            RecordVersion version,
            long generation,
            ByteString configSha256,
            SortedSet<String> unhealthyMembers,
            @Nullable LoadBalancerConfig running) {}

    /** @param runningGeneration what goes on running; 0: nothing */
    public record Rejection(
            RecordVersion version, ByteString configSha256, String code, String reason, long runningGeneration) {}

    /**
     * @param copies finds the configuration with the given hash among those that the agent has, or null
     */
    public static ActualState of(
            GetStateReply reply,
            Collection<String> features,
            SortedSet<Address> announcedVips,
            BiFunction<String, ByteString, @Nullable LoadBalancerConfig> copies) {
        TreeMap<String, Applied> applied = new TreeMap<>();
        for (AppliedLoadBalancer one : reply.getLoadBalancersList()) {
            applied.put(
                    one.getLoadBalancerId(),
                    new Applied(
                            new RecordVersion(one.getEpoch(), one.getSequence()),
                            one.getGeneration(),
                            one.getConfigSha256(),
                            new TreeSet<>(one.getUnhealthyMemberIdsList()),
                            copies.apply(one.getLoadBalancerId(), one.getConfigSha256())));
        }
        return new ActualState(
                Set.copyOf(features),
                new RecordVersion(reply.getNodeEpoch(), reply.getNodeSequence()),
                applied,
                announcedVips,
                null,
                new TreeMap<>());
    }

    ActualState withNodeVersion(RecordVersion version) {
        return new ActualState(features, version, applied, announcedVips, announced, rejections);
    }

    ActualState withAnnounced(Announcements now) {
        return new ActualState(features, nodeVersion, applied, now.vips(), now, rejections);
    }

    /** As {@link #with}, but what was rejected stays so. */
    ActualState withHealth(Map<String, Applied> changed) {
        TreeMap<String, Applied> newApplied = new TreeMap<>(applied);
        newApplied.putAll(changed);
        return new ActualState(features, nodeVersion, newApplied, announcedVips, announced, rejections);
    }

    /** Carries over what the same engine refused before a connection broke. */
    public ActualState withRejections(Map<String, Rejection> kept) {
        return new ActualState(features, nodeVersion, applied, announcedVips, announced, new TreeMap<>(kept));
    }

    ActualState with(Map<String, Applied> changed, Collection<String> removed, Map<String, Rejection> rejected) {
        TreeMap<String, Applied> newApplied = new TreeMap<>(applied);
        newApplied.putAll(changed);
        newApplied.keySet().removeAll(removed);
        TreeMap<String, Rejection> newRejections = new TreeMap<>(rejections);
        newRejections.keySet().removeAll(changed.keySet());
        newRejections.keySet().removeAll(removed);
        newRejections.putAll(rejected);
        return new ActualState(features, nodeVersion, newApplied, announcedVips, announced, newRejections);
    }
}
