// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.reconcile;

import com.google.protobuf.ByteString;
import dev.weir.messages.v1.Listener;
import dev.weir.messages.v1.LoadBalancerConfig;
import dev.weir.messages.v1.NodeConfig;
import dev.weir.messages.v1.NodePeer;
import dev.weir.messages.v1.PrefixListRecord;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * What the engine of this node should run, as far as the agent knows.
 *
 * @param node          null: no record of this node was read yet
 * @param loadBalancers by id: those placed on this PoP
 * @param prefixLists   by id: all that were read, whether or not something here refers to them
 * @param removals      ids that are known to be gone or placed elsewhere
 * @param removeUnknown whether load balancers that no record names are removed too; false while the records may be
 *                      incomplete
 */
public record DesiredState(
        @Nullable NodeTarget node,
        SortedMap<String, LoadBalancerTarget> loadBalancers,
        SortedMap<String, PrefixListTarget> prefixLists,
        Set<String> removals,
        boolean removeUnknown) {

    /**
     * @param drained the node or its PoP is drained: VIPs are withdrawn, all else stays
     * @param peers   the PoP's other nodes, sorted by id
     */
    public record NodeTarget(RecordVersion version, NodeConfig config, boolean drained, List<NodePeer> peers) {}

    public record PrefixListTarget(RecordVersion version, PrefixListRecord record) {}

    /** Ids of the prefix lists that a configuration refers to. */
    static SortedSet<String> prefixListsOf(LoadBalancerConfig config) {
        TreeSet<String> ids = new TreeSet<>();
        for (Listener listener : config.getListenersList()) {
            ids.addAll(listener.getAllowedPrefixListIdsList());
            ids.addAll(listener.getDeniedPrefixListIdsList());
        }
        return ids;
    }

    /**
     * @param config              as the engine gets it: overlay applied, members of other PoPs left out
     * @param configSha256        over the bytes of {@code config}
     * @param unhealthyMembers    ids by this node's verdicts
     * @param shiftedAway         the load balancer takes no traffic in this PoP
     * @param withdrawnForHealth  every enabled listener's pool asks for withdrawal and has nobody healthy
     */
    public record LoadBalancerTarget(
            RecordVersion version,
            LoadBalancerConfig config,
            ByteString configSha256,
            SortedSet<String> unhealthyMembers,
            boolean shiftedAway,
            boolean withdrawnForHealth) {

        public String id() {
            return config.getLoadBalancerId();
        }

        boolean mayBeAnnounced() {
            return !shiftedAway && !withdrawnForHealth;
        }
    }
}
