// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.stream;

import com.google.protobuf.ByteString;
import dev.weir.edge.reconcile.DesiredState;
import dev.weir.edge.reconcile.DesiredState.LoadBalancerTarget;
import dev.weir.edge.reconcile.DesiredState.NodeTarget;
import dev.weir.edge.reconcile.DesiredState.PrefixListTarget;
import dev.weir.edge.reconcile.EffectiveConfig;
import dev.weir.edge.reconcile.RecordVersion;
import dev.weir.messages.v1.ConfigRecord;
import dev.weir.messages.v1.LoadBalancerRecord;
import dev.weir.messages.v1.NodeConfig;
import dev.weir.messages.v1.NodePeer;
import dev.weir.messages.v1.PartitionDigest;
import dev.weir.messages.v1.PopsRecord;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Every key that the agent has read, its newest version, the records placed on this node's PoP and all prefix lists. What is older than
 * or as old as what is held changes nothing, so records may come twice, late or out of order. Not thread-safe.
 */
public final class RecordBook {
    /** Keys of this prefix carry digests and name no load balancer. */
    static final String DIGEST_PREFIX = "digest/";

    /** What a record meant to this node. */
    public enum Change {
        /** Not newer than what is held. */
        STALE,
        /** Newer, but nothing that this node runs or ran. */
        FILTERED,
        /** The engine or the announcements may have to follow. */
        RELEVANT
    }

    private final String nodeId;
    private final String popId;
    private final TreeMap<String, KeyState> keys = new TreeMap<>();
    private final Map<String, PopsRecord> pops = new HashMap<>();
    private final Map<String, Cached> effective = new HashMap<>();
    private final Set<Integer> matchedPartitions = new HashSet<>();

    private record Cached(ConfigRecord record, Optional<EffectiveConfig> config) {}

    public RecordBook(String nodeId, String popId) {
        this.nodeId = nodeId;
        this.popId = popId;
    }

    /** Takes a record of weir.config.v1; null is a tombstone. */
    public Change offer(String key, int partition, long offset, @Nullable ConfigRecord record) {
        KeyState held = keys.get(key);
        if (record == null) {
            if (held == null) {
                return Change.FILTERED;
            }
            boolean ran = held.record() != null;
            keys.put(key, held.at(partition, offset).asGone(true));
            effective.remove(key);
            return ran ? Change.RELEVANT : Change.FILTERED;
        }
        if (record.hasDigest()) {
            checkDigest(record.getDigest());
            return Change.FILTERED;
        }
        RecordVersion version = new RecordVersion(record.getEpoch(), record.getSequence());
        if (held != null && !held.tombstone() && !version.isNewerThan(held.version())) {
            if (version.equals(held.version())) {
                keys.put(key, held.at(partition, offset));
            }
            return Change.STALE;
        }
        // Any list may be referred to next, and the topic does not tell again.
        boolean placed = record.hasPrefixList() || (record.hasLoadBalancer() && isPlaced(record.getLoadBalancer()));
        keys.put(
                key,
                new KeyState(
                        key, partition, offset, version, placed ? record : null, record.hasDeleted(), false, true));
        effective.remove(key);
        boolean ran = held != null && held.record() != null;
        return placed || ran ? Change.RELEVANT : Change.FILTERED;
    }

    /**
     * Takes a record of weir.pops.v1; null is a tombstone. A node or PoP that no longer exists counts as drained: its
     * VIPs are withdrawn, and established flows end by themselves.
     */
    public Change offerPops(String key, @Nullable PopsRecord record) {
        boolean own = key.equals(nodeId) || key.equals(popId);
        PopsRecord held = pops.get(key);
        if (record != null && held != null && !version(record).isNewerThan(version(held))) {
            return Change.STALE;
        }
        if (record != null && !record.getDeleted()) {
            pops.put(key, record);
        } else if (own && held != null) {
            pops.put(key, drained(held, record == null ? version(held) : version(record)));
        } else {
            pops.remove(key);
        }
        return own || isPeer(held) || isPeer(record) ? Change.RELEVANT : Change.FILTERED;
    }

    private static PopsRecord drained(PopsRecord held, RecordVersion version) {
        PopsRecord.Builder drained = held.toBuilder().setEpoch(version.epoch()).setSequence(version.sequence());
        if (held.hasNode()) {
            drained.getNodeBuilder().setDrained(true);
        } else {
            drained.getPopBuilder().setDrained(true);
        }
        return drained.build();
    }

    private static RecordVersion version(PopsRecord record) {
        return new RecordVersion(record.getEpoch(), record.getSequence());
    }

    private boolean isPlaced(LoadBalancerRecord record) {
        return EffectiveConfig.of(record, popId, 0).isPresent();
    }

    /** Takes a whole set: what it does not name is gone. */
    public void replaceAll(Map<String, ConfigRecord> config, Map<String, PopsRecord> newPops) {
        config.forEach((key, record) -> offer(key, 0, 0, record));
        keys.replaceAll((key, state) -> config.containsKey(key) ? state : state.asGone(true));
        effective.keySet().retainAll(config.keySet());
        newPops.forEach(this::offerPops);
        pops.keySet().retainAll(newPops.keySet());
    }

    /**
     * @param unhealthy of a load balancer's configuration, the ids of members that this node holds unhealthy
     * @param withdrawn whether its health asks for withdrawal
     */
    public DesiredState desired(
            long nowUs,
            Function<EffectiveConfig, SortedSet<String>> unhealthy,
            Function<EffectiveConfig, Boolean> withdrawn,
            boolean removeUnknown) {
        TreeMap<String, LoadBalancerTarget> targets = new TreeMap<>();
        Set<String> removals = new HashSet<>();
        TreeMap<String, PrefixListTarget> prefixLists = new TreeMap<>();
        for (KeyState state : keys.values()) {
            ConfigRecord record = state.record();
            if (record != null && record.hasPrefixList()) {
                prefixLists.put(state.key(), new PrefixListTarget(state.version(), record.getPrefixList()));
                continue;
            }
            Optional<EffectiveConfig> config = effective(state, nowUs);
            if (config.isEmpty()) {
                removals.add(state.key());
                continue;
            }
            EffectiveConfig one = config.get();
            targets.put(
                    state.key(),
                    new LoadBalancerTarget(
                            state.version(),
                            one.config(),
                            one.sha256(),
                            unhealthy.apply(one),
                            one.shiftedAway(),
                            withdrawn.apply(one)));
        }
        return new DesiredState(node(), targets, prefixLists, removals, removeUnknown);
    }

    /** What this PoP should run now, by load balancer id. */
    public SortedMap<String, EffectiveConfig> effective(long nowUs) {
        TreeMap<String, EffectiveConfig> configs = new TreeMap<>();
        keys.values().forEach(state -> effective(state, nowUs).ifPresent(config -> configs.put(state.key(), config)));
        return configs;
    }

    private Optional<EffectiveConfig> effective(KeyState state, long nowUs) {
        ConfigRecord record = state.record();
        if (record == null || !record.hasLoadBalancer()) {
            return Optional.empty();
        }
        Cached cached = effective.get(state.key());
        if (cached != null
                && cached.record() == record
                && cached.config().map(EffectiveConfig::validUntilUs).orElse(Long.MAX_VALUE) > nowUs) {
            return cached.config();
        }
        Optional<EffectiveConfig> config = EffectiveConfig.of(record.getLoadBalancer(), popId, nowUs);
        effective.put(state.key(), new Cached(record, config));
        return config;
    }

    /** Unix time in microseconds at which the next overlay entry ends; {@link Long#MAX_VALUE}: none does. */
    public long nextOverlayEndUs() {
        return effective.values().stream()
                .flatMap(cached -> cached.config().stream())
                .mapToLong(EffectiveConfig::validUntilUs)
                .min()
                .orElse(Long.MAX_VALUE);
    }

    public @Nullable NodeTarget node() {
        PopsRecord record = pops.get(nodeId);
        if (record == null || !record.hasNode()) {
            return null;
        }
        NodeConfig config = record.getNode();
        PopsRecord pop = pops.get(popId);
        boolean drained = config.getDrained() || (pop != null && pop.getPop().getDrained());
        return new NodeTarget(version(record), config, drained, peers());
    }

    /** The PoP's other nodes, in order of their ids. */
    private List<NodePeer> peers() {
        return pops.values().stream()
                .filter(PopsRecord::hasNode)
                .map(PopsRecord::getNode)
                .filter(other ->
                        other.getPopId().equals(popId) && !other.getNodeId().equals(nodeId))
                .sorted(Comparator.comparing(NodeConfig::getNodeId))
                .map(other -> NodePeer.newBuilder()
                        .setNodeId(other.getNodeId())
                        .setDataAddress(other.getDataAddress())
                        .setDataAddressV6(other.getDataAddressV6())
                        .setDrained(other.getDrained())
                        .build())
                .toList();
    }

    private boolean isPeer(@Nullable PopsRecord record) {
        return record != null && record.hasNode() && record.getNode().getPopId().equals(popId);
    }

    public Collection<KeyState> keys() {
        return Collections.unmodifiableCollection(keys.values());
    }

    public @Nullable KeyState key(String key) {
        return keys.get(key);
    }

    public Map<String, PopsRecord> pops() {
        return Collections.unmodifiableMap(pops);
    }

    /** Puts back what was stored. */
    public void restore(Collection<KeyState> stored, Map<String, PopsRecord> storedPops) {
        stored.forEach(state -> keys.put(state.key(), state));
        pops.putAll(storedPops);
    }

    /** The partitions are read from their start, maybe of another topic: what is held counts only once seen again. */
    public void restartReading() {
        keys.replaceAll((key, state) -> state.unconfirmed());
        matchedPartitions.clear();
    }

    /** Forgets keys that are gone from the topic and from the engine. */
    public void forgetGone(Set<String> inEngine) {
        keys.values().removeIf(state -> state.tombstone() && !inEngine.contains(state.key()));
    }

    /** Marks a key as gone after a sweep was allowed. */
    void sweep(String key, int partition) {
        KeyState held = keys.get(key);
        keys.put(
                key,
                held != null
                        ? held.asGone(true)
                        : new KeyState(key, partition, 0, new RecordVersion(0, 0), null, true, true, false));
        effective.remove(key);
    }

    /** Partitions whose newest digest agreed with what was read of them. */
    Set<Integer> matchedPartitions() {
        return Collections.unmodifiableSet(matchedPartitions);
    }

    private void checkDigest(PartitionDigest digest) {
        ByteString own = Digests.of(keys.values(), digest.getPartition());
        if (own.equals(digest.getSha256())) {
            matchedPartitions.add(digest.getPartition());
        } else {
            matchedPartitions.remove(digest.getPartition());
        }
    }
}
