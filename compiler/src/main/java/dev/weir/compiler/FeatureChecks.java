// SPDX-License-Identifier: Apache-2.0
package dev.weir.compiler;

import dev.weir.messages.v1.ForwardingMode;
import dev.weir.messages.v1.Listener;
import dev.weir.messages.v1.ListenerLimits;
import dev.weir.messages.v1.LoadBalancerConfig;
import dev.weir.messages.v1.Member;
import dev.weir.messages.v1.OnUnhealthy;
import dev.weir.messages.v1.Pool;
import dev.weir.messages.v1.TunnelEncapsulation;
import dev.weir.messages.v1.WhenAllUnhealthy;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.SequencedSet;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;

/** Names the features that a configuration uses, and compares them with what PoPs have. */
final class FeatureChecks {
    private FeatureChecks() {}

    /** Sorted names, as engines advertise them; only what the configuration really uses. */
    static SequencedSet<String> required(LoadBalancerConfig.Builder config) {
        SequencedSet<String> features = new TreeSet<>();
        if (config.getVipsList().stream().anyMatch(vip -> vip.getAddress().size() == 16)) {
            features.add("ipv6");
        }
        config.getListenersList().forEach(listener -> addOf(listener, features));
        config.getPoolsList().forEach(pool -> addOf(pool, features));
        return features;
    }

    private static void addOf(Listener listener, Set<String> features) {
        if (listener.getPortRangesCount() > 1
                || listener.getPortRangesList().stream().anyMatch(range -> range.getFirst() != range.getLast())) {
            features.add("port_ranges");
        }
        if (listener.hasSourcePersistence()) {
            features.add("source_persistence");
        }
        if (listener.getAllowedCidrsCount() + listener.getDeniedCidrsCount() > 0) {
            features.add("cidrs");
        }
        if (listener.getAllowedPrefixListIdsCount() + listener.getDeniedPrefixListIdsCount() > 0) {
            features.add("prefix_lists");
        }
        if (!listener.getLimits().equals(ListenerLimits.getDefaultInstance())) {
            features.add("limits");
        }
        if (listener.getResetOnIdleTimeout()) {
            features.add("reset_on_idle_timeout");
        }
        switch (listener.getFlowTracking()) {
            case FLOW_TRACKING_STATELESS -> features.add("stateless");
            case FLOW_TRACKING_STATEFUL, FLOW_TRACKING_UNSPECIFIED, UNRECOGNIZED -> {}
        }
    }

    private static void addOf(Pool pool, Set<String> features) {
        switch (pool.getAlgorithm()) {
            case ALGORITHM_ROUND_ROBIN -> features.add("round_robin");
            case ALGORITHM_WEIGHTED_ROUND_ROBIN -> features.add("weighted_round_robin");
            case ALGORITHM_LEAST_CONNECTIONS -> features.add("least_connections");
            case ALGORITHM_WEIGHTED_LEAST_CONNECTIONS -> features.add("weighted_least_connections");
            case ALGORITHM_MAGLEV -> features.add("maglev");
            case ALGORITHM_SOURCE_IP_HASH -> features.add("source_ip_hash");
            case ALGORITHM_UNSPECIFIED, UNRECOGNIZED -> {}
        }
        ForwardingMode mode = pool.getForwardingMode();
        switch (mode) {
            case FORWARDING_MODE_DNAT -> features.add("dnat");
            case FORWARDING_MODE_SNAT -> features.add("snat");
            case FORWARDING_MODE_DSR -> features.add("dsr");
            case FORWARDING_MODE_TUNNEL ->
                features.add(
                        pool.getTunnelEncapsulation() == TunnelEncapsulation.TUNNEL_ENCAPSULATION_GUE
                                ? "tunnel_gue"
                                : "tunnel_ipip");
            case FORWARDING_MODE_UNSPECIFIED, UNRECOGNIZED -> {}
        }
        if (pool.getMembersList().stream()
                .anyMatch(member -> member.getAddress().size() == 16)) {
            features.add("ipv6");
        }
        if (pool.getMembersList().stream().anyMatch(member -> !member.getPort().hasKeep())) {
            features.add("port_mapping");
        }
        if (pool.getMembersList().stream().map(Member::getPriority).distinct().count() > 1) {
            features.add("priority_tiers");
        }
        if (pool.hasHealthMonitor()) {
            switch (pool.getHealthMonitor().getType()) {
                case PROBE_TYPE_TCP_CONNECT -> features.add("tcp_probe");
                case PROBE_TYPE_UDP -> features.add("udp_probe");
                case PROBE_TYPE_UNSPECIFIED, UNRECOGNIZED -> {}
            }
        }
        if (pool.getSlowStartS() > 0) {
            features.add("slow_start");
        }
        if (pool.getWhenAllUnhealthy() != WhenAllUnhealthy.WHEN_ALL_UNHEALTHY_OPEN) {
            features.add("when_all_unhealthy");
        }
        if (pool.getOnUnhealthy() == OnUnhealthy.ON_UNHEALTHY_RESET) {
            features.add("on_unhealthy_reset");
        }
        if (pool.getProxyProtocolV2()) {
            features.add("proxy_protocol_v2");
        }
        if (pool.getFlowSync()) {
            features.add("flow_sync");
        }
    }

    static void check(Collection<String> required, List<PopSite> pops, Set<UUID> placed, Faults faults) {
        for (PopSite pop : pops) {
            if (!placed.contains(pop.id()) || pop.features().isEmpty()) {
                continue;
            }
            List<String> missing = new ArrayList<>(required);
            missing.removeAll(pop.features());
            faults.addUnless(
                    missing.isEmpty(),
                    FaultCode.FEATURE_NOT_AVAILABLE,
                    "/placement",
                    "nodes of PoP %s lack %s".formatted(pop.name(), String.join(", ", missing)));
        }
    }
}
