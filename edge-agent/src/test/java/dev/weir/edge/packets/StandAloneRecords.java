// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.packets;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.util.JsonFormat;
import dev.weir.messages.v1.Algorithm;
import dev.weir.messages.v1.Bgp;
import dev.weir.messages.v1.BgpPeer;
import dev.weir.messages.v1.BgpPeerRole;
import dev.weir.messages.v1.ConfigRecord;
import dev.weir.messages.v1.FlowTracking;
import dev.weir.messages.v1.ForwardingMode;
import dev.weir.messages.v1.HealthMonitor;
import dev.weir.messages.v1.Listener;
import dev.weir.messages.v1.LoadBalancerConfig;
import dev.weir.messages.v1.LoadBalancerRecord;
import dev.weir.messages.v1.Member;
import dev.weir.messages.v1.MemberPort;
import dev.weir.messages.v1.NodeConfig;
import dev.weir.messages.v1.OnUnhealthy;
import dev.weir.messages.v1.Pool;
import dev.weir.messages.v1.PopConfig;
import dev.weir.messages.v1.PopsRecord;
import dev.weir.messages.v1.PortRange;
import dev.weir.messages.v1.Prefix;
import dev.weir.messages.v1.ProbeType;
import dev.weir.messages.v1.Protocol;
import dev.weir.messages.v1.Route;
import dev.weir.messages.v1.VipAttachment;
import dev.weir.messages.v1.WhenAllUnhealthy;
import dev.weir.testbed.topology.BackendPlan;
import dev.weir.testbed.topology.NodePlan;
import dev.weir.testbed.topology.PopPlan;
import dev.weir.testbed.topology.Shape;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** The records that a provisioner would publish for a shape and one load balancer, as an agent reads them from a file. */
final class StandAloneRecords {
    static final String VIP = "203.0.113.10";
    static final int HTTP_PORT = 80;
    static final int UDP_PORT = 7000;

    private static final String LOAD_BALANCER = "lb_00000000000000000000000000000001";
    private static final int MAGLEV_TABLE_SIZE = 1009;

    private StandAloneRecords() {}

    static String nodeId(NodePlan node) {
        return "node_%030d%d%d".formatted(0, node.pop(), node.number());
    }

    static String popId(int pop) {
        return "pop_%032d".formatted(pop);
    }

    static String memberId(BackendPlan backend, String pool) {
        return "mbr_%s%030d".formatted(pool.equals("web") ? "a0" : "b0", backend.number());
    }

    /**
     * The whole file.
     *
     * @param sequence rises with every change
     * @param weights  of HTTP members by backend; others weigh 100
     */
    static String json(Shape shape, long sequence, Map<String, Integer> weights) throws InvalidProtocolBufferException {
        List<Message> pops = new ArrayList<>();
        for (PopPlan pop : shape.popPlans()) {
            pops.add(PopsRecord.newBuilder()
                    .setEpoch(1)
                    .setSequence(1)
                    .setPop(PopConfig.newBuilder().setPopId(popId(pop.number())).setName(pop.name()))
                    .build());
        }
        for (NodePlan node : shape.nodes()) {
            pops.add(PopsRecord.newBuilder()
                    .setEpoch(1)
                    .setSequence(1)
                    .setNode(node(node))
                    .build());
        }
        ConfigRecord config = ConfigRecord.newBuilder()
                .setEpoch(1)
                .setSequence(sequence)
                .setLoadBalancer(LoadBalancerRecord.newBuilder()
                        .setLoadBalancerId(LOAD_BALANCER)
                        .setProjectId("prj_00000000000000000000000000000001")
                        .setTenantId("tnt_00000000000000000000000000000001")
                        .setStable(loadBalancer(shape, sequence, weights)))
                .build();
        return "{\"pops\": [" + list(pops) + "], \"config\": [" + list(List.of(config)) + "]}";
    }

    private static String list(List<Message> messages) throws InvalidProtocolBufferException {
        List<String> texts = new ArrayList<>();
        for (Message message : messages) {
            texts.add(JsonFormat.printer().print(message));
        }
        return texts.stream().collect(Collectors.joining(", "));
    }

    private static NodeConfig node(NodePlan node) {
        PopPlan pop = new PopPlan(node.pop());
        return NodeConfig.newBuilder()
                .setNodeId(nodeId(node))
                .setPopId(popId(node.pop()))
                .setName(node.name())
                .setDataAddress(bytes(node.dataAddress()))
                .setDataPrefixLength(24)
                .addRoutes(Route.newBuilder()
                        .setPrefix(prefix(pop.membersPrefix()))
                        .setNextHop(bytes(pop.membersLanAddress())))
                .addRoutes(Route.newBuilder().setPrefix(prefix("0.0.0.0/0")).setNextHop(bytes(pop.routerLanAddress())))
                .addSnatRanges(prefix(node.snatRange()))
                .setBgp(Bgp.newBuilder()
                        .setLocalAsn(pop.nodeAsn())
                        .setRouterId(bytes(node.controlAddress()))
                        .addPeers(peer(
                                "router",
                                pop.routerControlAddress(),
                                PopPlan.ROUTER_ASN,
                                BgpPeerRole.BGP_PEER_ROLE_UPSTREAM))
                        .addPeers(peer(
                                "members",
                                pop.membersControlAddress(),
                                PopPlan.MEMBERS_ASN,
                                BgpPeerRole.BGP_PEER_ROLE_MEMBER_SIDE)))
                .setMtu(1500)
                .setGeneration(1)
                .build();
    }

    private static BgpPeer.Builder peer(String name, String address, int asn, BgpPeerRole role) {
        return BgpPeer.newBuilder()
                .setName(name)
                .setAddress(bytes(address))
                .setAsn(asn)
                .setRole(role);
    }

    private static LoadBalancerConfig loadBalancer(Shape shape, long generation, Map<String, Integer> weights) {
        LoadBalancerConfig.Builder config = LoadBalancerConfig.newBuilder()
                .setLoadBalancerId(LOAD_BALANCER)
                .setProjectId("prj_00000000000000000000000000000001")
                .setGeneration(generation)
                .setEnabled(true)
                .addVips(VipAttachment.newBuilder()
                        .setVipId("vip_00000000000000000000000000000001")
                        .setAddress(bytes(VIP))
                        .setClaimSequence(1))
                .addListeners(listener("http", Protocol.PROTOCOL_TCP, HTTP_PORT, "web", 3600))
                .addListeners(listener("echo", Protocol.PROTOCOL_UDP, UDP_PORT, "echo", 60));
        shape.popPlans().forEach(pop -> config.addPopIds(popId(pop.number())));
        Pool.Builder web = pool("web", Algorithm.ALGORITHM_MAGLEV, ForwardingMode.FORWARDING_MODE_DNAT);
        Pool.Builder echo = pool("echo", Algorithm.ALGORITHM_ROUND_ROBIN, ForwardingMode.FORWARDING_MODE_SNAT);
        for (BackendPlan backend : shape.backends()) {
            web.addMembers(member(backend, "web", BackendPlan.HTTP_PORT, weights.getOrDefault(backend.name(), 100)));
            echo.addMembers(member(backend, "echo", BackendPlan.UDP_PORT, 100));
        }
        return config.addPools(web).addPools(echo).build();
    }

    private static Listener listener(String name, Protocol protocol, int port, String pool, int idleTimeoutS) {
        return Listener.newBuilder()
                .setListenerId("lst_" + name)
                .setName(name)
                .setProtocol(protocol)
                .addPortRanges(PortRange.newBuilder().setFirst(port).setLast(port))
                .setPoolId("pool_" + pool)
                .setFlowTracking(FlowTracking.FLOW_TRACKING_STATEFUL)
                .setIdleTimeoutS(idleTimeoutS)
                .setEnabled(true)
                .build();
    }

    private static Pool.Builder pool(String name, Algorithm algorithm, ForwardingMode mode) {
        return Pool.newBuilder()
                .setPoolId("pool_" + name)
                .setName(name)
                .setAlgorithm(algorithm)
                .setForwardingMode(mode)
                .setDrainTimeoutS(300)
                .setWhenAllUnhealthy(WhenAllUnhealthy.WHEN_ALL_UNHEALTHY_OPEN)
                .setOnUnhealthy(OnUnhealthy.ON_UNHEALTHY_KEEP)
                .setMinimumHealthy(1)
                .setMaglevTableSize(MAGLEV_TABLE_SIZE)
                .setHealthMonitor(HealthMonitor.newBuilder()
                        .setHealthMonitorId("hm_" + name)
                        .setType(ProbeType.PROBE_TYPE_TCP_CONNECT)
                        .setIntervalMs(500)
                        .setTimeoutMs(400)
                        .setRise(2)
                        .setFall(3)
                        .setPort(BackendPlan.HTTP_PORT));
    }

    private static Member member(BackendPlan backend, String pool, int port, int weight) {
        return Member.newBuilder()
                .setMemberId(memberId(backend, pool))
                .setName(backend.name())
                .setAddress(bytes(backend.address()))
                .setPort(MemberPort.newBuilder().setFixed(port))
                .setWeight(weight)
                .setEnabled(true)
                .addPopIds(popId(backend.pop()))
                .build();
    }

    private static Prefix prefix(String cidr) {
        int slash = cidr.indexOf('/');
        return Prefix.newBuilder()
                .setAddress(bytes(cidr.substring(0, slash)))
                .setLength(Integer.parseInt(cidr.substring(slash + 1)))
                .build();
    }

    private static ByteString bytes(String address) {
        return ByteString.copyFrom(InetAddress.ofLiteral(address).getAddress());
    }
}
