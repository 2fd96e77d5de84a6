// SPDX-License-Identifier: Apache-2.0
package dev.weir.compiler;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonSetter;
import com.fasterxml.jackson.annotation.Nulls;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.PropertyNamingStrategies;
import tools.jackson.databind.annotation.JsonNaming;

/**
 * A load balancer's whole spec: what a revision row stores, what the API reads and writes, what the compiler turns into
 * a configuration. All defaults are already filled in, all ids assigned. The VIPs attached to it are not part of it.
 *
 * <p>As JSON: snake_case properties, lower snake case enum values; ids as plain UUIDs.
 *
 * @param labels free-form, of the tenant
 * @param listeners sorted by name
 * @param pools sorted by name
 */
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
@JsonInclude(JsonInclude.Include.NON_NULL)
public record LoadBalancerTree(
        UUID loadBalancerId,
        UUID projectId,
        UUID tenantId,
        String name,
        @Nullable String description,
        Map<String, String> labels,
        boolean enabled,
        PlacementSpec placement,
        List<ListenerSpec> listeners,
        List<PoolSpec> pools) {

    public LoadBalancerTree disabled() {
        return new LoadBalancerTree(
                loadBalancerId, projectId, tenantId, name, description, labels, false, placement, listeners, pools);
    }

    /** Where a load balancer runs. {@code popIds} with NAMED, {@code labels} with LABELS, neither with ALL. */
    @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
    public record PlacementSpec(PlacementKind kind, List<UUID> popIds, Map<String, String> labels) {}

    public enum PlacementKind {
        @JsonProperty("all")
        ALL,
        @JsonProperty("named")
        NAMED,
        @JsonProperty("labels")
        LABELS
    }

    /**
     * @param portRanges at least one, not overlapping within the protocol
     * @param idleTimeoutS seconds
     * @param resetOnIdleTimeout RST to both sides when an idle flow is forgotten; only TCP under dnat and snat
     * @param limits absent: none
     */
    @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record ListenerSpec(
            UUID id,
            String name,
            TransportProtocol protocol,
            List<PortRangeSpec> portRanges,
            UUID poolId,
            FlowTrackingKind flowTracking,
            int idleTimeoutS,
            boolean enabled,
            @Nullable SourcePersistenceSpec sourcePersistence,
            List<String> allowedCidrs,
            List<String> deniedCidrs,
            @JsonSetter(nulls = Nulls.AS_EMPTY) List<UUID> allowedPrefixListIds,
            @JsonSetter(nulls = Nulls.AS_EMPTY) List<UUID> deniedPrefixListIds,
            @Nullable ListenerLimitsSpec limits,
            @JsonSetter(nulls = Nulls.AS_EMPTY) boolean resetOnIdleTimeout) {}

    /** Per PoP; 0: no limit. */
    @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
    public record ListenerLimitsSpec(
            long newFlowsPerS, long activeFlows, long newFlowsPerSourcePerS, long activeFlowsPerSource) {}

    public enum TransportProtocol {
        @JsonProperty("tcp")
        TCP,
        @JsonProperty("udp")
        UDP
    }

    public enum FlowTrackingKind {
        @JsonProperty("stateful")
        STATEFUL,
        @JsonProperty("stateless")
        STATELESS
    }

    /** Both ends included, 1-65535. */
    public record PortRangeSpec(int first, int last) {}

    @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
    public record SourcePersistenceSpec(int timeoutS, int ipv4PrefixLength, int ipv6PrefixLength) {}

    /**
     * @param drainTimeoutS seconds that existing flows of a draining member may last
     * @param healthMonitor absent: members count as healthy
     * @param members sorted by id
     * @param tunnelEncapsulation present exactly under TUNNEL
     * @param tunnelPort UDP port of the members, present exactly with GUE
     */
    @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record PoolSpec(
            UUID id,
            String name,
            AlgorithmKind algorithm,
            ForwardingModeKind forwardingMode,
            int drainTimeoutS,
            int slowStartS,
            WhenAllUnhealthyKind whenAllUnhealthy,
            OnUnhealthyKind onUnhealthy,
            int minimumHealthy,
            boolean proxyProtocolV2,
            boolean flowSync,
            @Nullable HealthMonitorSpec healthMonitor,
            List<MemberSpec> members,
            @Nullable TunnelEncapsulationKind tunnelEncapsulation,
            @Nullable Integer tunnelPort) {

        public PoolSpec withMembers(List<MemberSpec> changed) {
            return new PoolSpec(
                    id,
                    name,
                    algorithm,
                    forwardingMode,
                    drainTimeoutS,
                    slowStartS,
                    whenAllUnhealthy,
                    onUnhealthy,
                    minimumHealthy,
                    proxyProtocolV2,
                    flowSync,
                    healthMonitor,
                    changed,
                    tunnelEncapsulation,
                    tunnelPort);
        }

        public PoolSpec withHealthMonitor(@Nullable HealthMonitorSpec changed) {
            return new PoolSpec(
                    id,
                    name,
                    algorithm,
                    forwardingMode,
                    drainTimeoutS,
                    slowStartS,
                    whenAllUnhealthy,
                    onUnhealthy,
                    minimumHealthy,
                    proxyProtocolV2,
                    flowSync,
                    changed,
                    members,
                    tunnelEncapsulation,
                    tunnelPort);
        }
    }

    public enum AlgorithmKind {
        @JsonProperty("round_robin")
        ROUND_ROBIN,
        @JsonProperty("weighted_round_robin")
        WEIGHTED_ROUND_ROBIN,
        @JsonProperty("least_connections")
        LEAST_CONNECTIONS,
        @JsonProperty("weighted_least_connections")
        WEIGHTED_LEAST_CONNECTIONS,
        @JsonProperty("maglev")
        MAGLEV,
        @JsonProperty("source_ip_hash")
        SOURCE_IP_HASH
    }

    public enum ForwardingModeKind {
        @JsonProperty("dnat")
        DNAT,
        @JsonProperty("snat")
        SNAT,
        @JsonProperty("dsr")
        DSR,
        @JsonProperty("tunnel")
        TUNNEL
    }

    public enum TunnelEncapsulationKind {
        @JsonProperty("ipip")
        IPIP,
        @JsonProperty("gue")
        GUE
    }

    public enum WhenAllUnhealthyKind {
        @JsonProperty("open")
        OPEN,
        @JsonProperty("closed")
        CLOSED,
        @JsonProperty("withdraw_vip")
        WITHDRAW_VIP
    }

    public enum OnUnhealthyKind {
        @JsonProperty("keep")
        KEEP,
        @JsonProperty("reset")
        RESET
    }

    /**
     * @param port absent: the member's own port
     * @param udpSend Base64; what a UDP probe sends, present exactly with UDP
     * @param udpExpect Base64; what the answer to a UDP probe begins with; absent: any answer will do
     */
    @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record HealthMonitorSpec(
            UUID id,
            ProbeKind type,
            int intervalMs,
            int timeoutMs,
            int rise,
            int fall,
            @Nullable Integer port,
            @Nullable String udpSend,
            @Nullable String udpExpect) {}

    public enum ProbeKind {
        @JsonProperty("tcp_connect")
        TCP_CONNECT,
        @JsonProperty("udp")
        UDP
    }

    /**
     * @param address textual IPv4 or IPv6 address
     * @param weight 0-256; 0: no new flows
     * @param priority tier; lower serves first
     * @param popIds PoP scope; empty: all PoPs
     */
    @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
    public record MemberSpec(
            UUID id,
            String name,
            String address,
            MemberPortSpec port,
            int weight,
            boolean enabled,
            int priority,
            List<UUID> popIds) {}

    /** {@code value}: the port with FIXED, the number added to the listener's with OFFSET, 0 with KEEP. */
    public record MemberPortSpec(MemberPortKind kind, int value) {}

    public enum MemberPortKind {
        @JsonProperty("keep")
        KEEP,
        @JsonProperty("fixed")
        FIXED,
        @JsonProperty("offset")
        OFFSET
    }
}
