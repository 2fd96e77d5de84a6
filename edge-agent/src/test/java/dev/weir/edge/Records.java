// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge;

import com.google.protobuf.ByteString;
import dev.weir.messages.v1.Algorithm;
import dev.weir.messages.v1.Bgp;
import dev.weir.messages.v1.BgpPeer;
import dev.weir.messages.v1.BgpPeerRole;
import dev.weir.messages.v1.ConfigRecord;
import dev.weir.messages.v1.DeletedRecord;
import dev.weir.messages.v1.FlowTracking;
import dev.weir.messages.v1.ForwardingMode;
import dev.weir.messages.v1.HealthMonitor;
import dev.weir.messages.v1.Listener;
import dev.weir.messages.v1.LoadBalancerConfig;
import dev.weir.messages.v1.LoadBalancerRecord;
import dev.weir.messages.v1.Member;
import dev.weir.messages.v1.MemberPort;
import dev.weir.messages.v1.NodeConfig;
import dev.weir.messages.v1.Pool;
import dev.weir.messages.v1.PopsRecord;
import dev.weir.messages.v1.PortRange;
import dev.weir.messages.v1.Prefix;
import dev.weir.messages.v1.ProbeType;
import dev.weir.messages.v1.Protocol;
import dev.weir.messages.v1.Route;
import dev.weir.messages.v1.VipAttachment;
import dev.weir.messages.v1.WhenAllUnhealthy;
import java.net.InetAddress;
import java.util.List;

/** Records as the provisioner would publish them. */
public final class Records {
    public static final String POP = "pop_1";
    public static final String OTHER_POP = "pop_2";
    public static final String NODE = "node_1";

    private Records() {}

    public static ByteString ip(String text) {
        return ByteString.copyFrom(InetAddress.ofLiteral(text).getAddress());
    }

    public static NodeConfig node() {
        return NodeConfig.newBuilder()
                .setNodeId(NODE)
                .setPopId(POP)
                .setName("pop1-node1")
                .setDataAddress(ip("10.1.0.11"))
                .setDataPrefixLength(24)
                .setDataAddressV6(ip("2001:db8:1::11"))
                .setDataPrefixLengthV6(64)
                .addRoutes(Route.newBuilder()
                        .setPrefix(Prefix.newBuilder().setAddress(ip("0.0.0.0")))
                        .setNextHop(ip("10.1.0.1")))
                .addSnatRanges(Prefix.newBuilder().setAddress(ip("10.1.31.0")).setLength(28))
                .addSnatRanges(
                        Prefix.newBuilder().setAddress(ip("2001:db8:1:31::")).setLength(124))
                .setBgp(Bgp.newBuilder()
                        .setLocalAsn(64511)
                        .setRouterId(ip("10.1.1.11"))
                        .addPeers(BgpPeer.newBuilder()
                                .setName("pop1-router")
                                .setAddress(ip("10.1.1.1"))
                                .setAsn(64500)
                                .setRole(BgpPeerRole.BGP_PEER_ROLE_UPSTREAM))
                        .addPeers(BgpPeer.newBuilder()
                                .setName("pop1-members")
                                .setAddress(ip("10.1.1.2"))
                                .setAsn(64520)
                                .setRole(BgpPeerRole.BGP_PEER_ROLE_MEMBER_SIDE)))
                .setMtu(1500)
                .setGeneration(1)
                .build();
    }

    public static PopsRecord nodeRecord(long sequence, NodeConfig node) {
        return PopsRecord.newBuilder()
                .setEpoch(1)
                .setSequence(sequence)
                .setNode(node)
                .build();
    }

    public static Member member(String id, String address) {
        return Member.newBuilder()
                .setMemberId(id)
                .setName(id)
                .setAddress(ip(address))
                .setPort(MemberPort.newBuilder().setFixed(8080))
                .setWeight(100)
                .setEnabled(true)
                .build();
    }

    public static HealthMonitor monitor() {
        return HealthMonitor.newBuilder()
                .setHealthMonitorId("hm_1")
                .setType(ProbeType.PROBE_TYPE_TCP_CONNECT)
                .setIntervalMs(1_000)
                .setTimeoutMs(500)
                .setRise(2)
                .setFall(3)
                .build();
    }

    /** One VIP, one TCP listener on 80, one monitored dnat pool of two members. */
    public static LoadBalancerConfig loadBalancer(String id, String vip, long generation) {
        return LoadBalancerConfig.newBuilder()
                .setLoadBalancerId(id)
                .setProjectId("prj_1")
                .setGeneration(generation)
                .addAllRequiredFeatures(List.of("dnat", "maglev"))
                .setEnabled(true)
                .addPopIds(POP)
                .addVips(VipAttachment.newBuilder()
                        .setVipId("vip_" + vip)
                        .setAddress(ip(vip))
                        .setClaimSequence(1))
                .addListeners(Listener.newBuilder()
                        .setListenerId("lst_" + id)
                        .setName("web")
                        .setProtocol(Protocol.PROTOCOL_TCP)
                        .addPortRanges(PortRange.newBuilder().setFirst(80).setLast(80))
                        .setPoolId("pool_" + id)
                        .setFlowTracking(FlowTracking.FLOW_TRACKING_STATEFUL)
                        .setIdleTimeoutS(3600)
                        .setEnabled(true))
                .addPools(Pool.newBuilder()
                        .setPoolId("pool_" + id)
                        .setName("web")
                        .setAlgorithm(Algorithm.ALGORITHM_MAGLEV)
                        .setForwardingMode(ForwardingMode.FORWARDING_MODE_DNAT)
                        .addMembers(member("mbr_1", "10.1.20.11"))
                        .addMembers(member("mbr_2", "10.1.20.12"))
                        .setHealthMonitor(monitor())
                        .setDrainTimeoutS(30)
                        .setWhenAllUnhealthy(WhenAllUnhealthy.WHEN_ALL_UNHEALTHY_OPEN)
                        .setMaglevTableSize(251))
                .build();
    }

    public static ConfigRecord deleted(long sequence) {
        return ConfigRecord.newBuilder()
                .setEpoch(1)
                .setSequence(sequence)
                .setDeleted(DeletedRecord.getDefaultInstance())
                .build();
    }

    public static ConfigRecord record(long sequence, LoadBalancerConfig stable) {
        return record(
                sequence,
                LoadBalancerRecord.newBuilder()
                        .setLoadBalancerId(stable.getLoadBalancerId())
                        .setProjectId(stable.getProjectId())
                        .setStable(stable)
                        .build());
    }

    public static ConfigRecord record(long sequence, LoadBalancerRecord record) {
        return ConfigRecord.newBuilder()
                .setEpoch(1)
                .setSequence(sequence)
                .setLoadBalancer(record)
                .build();
    }
}
