// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.reconcile;

import com.google.protobuf.ByteString;
import dev.weir.edge.announce.Address;
import dev.weir.edge.announce.Announcements;
import dev.weir.messages.v1.AppliedLoadBalancer;
import dev.weir.messages.v1.GetStateReply;
import dev.weir.messages.v1.LoadBalancerConfig;
import dev.weir.messages.v1.NodePeer;
import java.util.Collection;
import java.util.List;
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
 * @param peers         that were told to the engine over this connection; null: none were
 * @param applied       by load balancer id
 * @param prefixLists   versions of the prefix lists that the engine has, by id
 * @param announcedVips those in the routes file now
 * @param announced     what the files were last written from; null: not written since the agent's start
 * @param rejections    by load balancer id (or node id): the newest record, refused
 */
public record ActualState(
        Set<String> features,
        RecordVersion nodeVersion,
        @Nullable List<NodePeer> peers,
        SortedMap<String, Applied> applied,
        SortedMap<String, RecordVersion> prefixLists,
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
        TreeMap<String, RecordVersion> prefixLists = new TreeMap<>();
        reply.getPrefixListsList()
                .forEach(list -> prefixLists.put(
                        list.getPrefixListId(), new RecordVersion(list.getEpoch(), list.getSequence())));
        return new ActualState(
                Set.copyOf(features),
                new RecordVersion(reply.getNodeEpoch(), reply.getNodeSequence()),
                null,
                applied,
                prefixLists,
                announcedVips,
                null,
                new TreeMap<>());
    }

    ActualState withNode(RecordVersion version, List<NodePeer> told) {
        return new ActualState(features, version, told, applied, prefixLists, announcedVips, announced, rejections);
    }

    ActualState withPrefixList(String id, RecordVersion version) {
        TreeMap<String, RecordVersion> now = new TreeMap<>(prefixLists);
        now.put(id, version);
        TreeMap<String, Rejection> left = new TreeMap<>(rejections);
        left.remove(id);
        return new ActualState(features, nodeVersion, peers, applied, now, announcedVips, announced, left);
    }

    ActualState withoutPrefixLists(Collection<String> ids) {
        TreeMap<String, RecordVersion> now = new TreeMap<>(prefixLists);
        now.keySet().removeAll(ids);
        return new ActualState(features, nodeVersion, peers, applied, now, announcedVips, announced, rejections);
    }

    ActualState withAnnounced(Announcements now) {
        return new ActualState(features, nodeVersion, peers, applied, prefixLists, now.vips(), now, rejections);
    }

    /** As {@link #with}, but what was rejected stays so. */
    ActualState withHealth(Map<String, Applied> changed) {
        TreeMap<String, Applied> newApplied = new TreeMap<>(applied);
        newApplied.putAll(changed);
        return new ActualState(
                features, nodeVersion, peers, newApplied, prefixLists, announcedVips, announced, rejections);
    }

    /** Carries over what the same engine refused before a connection broke. */
    public ActualState withRejections(Map<String, Rejection> kept) {
        return new ActualState(
                features, nodeVersion, peers, applied, prefixLists, announcedVips, announced, new TreeMap<>(kept));
    }

    ActualState with(Map<String, Applied> changed, Collection<String> removed, Map<String, Rejection> rejected) {
        TreeMap<String, Applied> newApplied = new TreeMap<>(applied);
        newApplied.putAll(changed);
        newApplied.keySet().removeAll(removed);
        TreeMap<String, Rejection> newRejections = new TreeMap<>(rejections);
        newRejections.keySet().removeAll(changed.keySet());
        newRejections.keySet().removeAll(removed);
        newRejections.putAll(rejected);
        return new ActualState(
                features, nodeVersion, peers, newApplied, prefixLists, announcedVips, announced, newRejections);
    }
}
