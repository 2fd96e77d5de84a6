// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.engine;

import com.google.protobuf.ByteString;
import dev.weir.edge.reconcile.EffectiveConfig;
import dev.weir.edge.reconcile.RecordVersion;
import dev.weir.messages.v1.AppliedLoadBalancer;
import dev.weir.messages.v1.AppliedPrefixList;
import dev.weir.messages.v1.ApplyNodeReply;
import dev.weir.messages.v1.ApplyNodeRequest;
import dev.weir.messages.v1.ApplyPrefixListsReply;
import dev.weir.messages.v1.ApplyPrefixListsRequest;
import dev.weir.messages.v1.ApplyReply;
import dev.weir.messages.v1.ApplyRequest;
import dev.weir.messages.v1.ApplyResult;
import dev.weir.messages.v1.DrainingLoadBalancer;
import dev.weir.messages.v1.DropCounter;
import dev.weir.messages.v1.EngineLoadBalancer;
import dev.weir.messages.v1.EngineMember;
import dev.weir.messages.v1.EnginePrefixList;
import dev.weir.messages.v1.FlowCounters;
import dev.weir.messages.v1.GetCountersReply;
import dev.weir.messages.v1.GetStateReply;
import dev.weir.messages.v1.HelloReply;
import dev.weir.messages.v1.ListMembersReply;
import dev.weir.messages.v1.MemberVerdict;
import dev.weir.messages.v1.NodeConfig;
import dev.weir.messages.v1.PrefixListResult;
import dev.weir.messages.v1.ProbeOutcome;
import dev.weir.messages.v1.SetHealthReply;
import dev.weir.messages.v1.SetHealthRequest;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * What an engine knows and answers, without packets. Behind a socket it is a {@link FakeEngine}. It outlives
 * connections, as an engine outlives agents. Thread-safe.
 */
public final class EngineModel {
    private record Running(EngineLoadBalancer loadBalancer, TreeSet<String> unhealthy) {}

    public static final long DRAIN_DEADLINE_US = 1_900_000_000_000_000L;

    public long startId = 7;
    public long countersId = 70;
    public final Set<String> features = new TreeSet<>(Set.of("dnat", "snat", "maglev", "round_robin"));
    public final Map<String, String> rejections = new HashMap<>();
    public final Map<ByteString, ProbeOutcome> outcomes = new HashMap<>();
    public final Map<String, Long> activeFlows = new HashMap<>();
    public final Map<String, FlowCounters> flows = new TreeMap<>();
    public final Map<String, DropCounter> drops = new TreeMap<>();
    public final List<ApplyRequest> applies = new ArrayList<>();
    /** Of load balancers that were deleted or lost something, the drain that goes on. */
    public final Map<String, Long> drains = new TreeMap<>();

    private final TreeMap<String, Running> running = new TreeMap<>();
    private final TreeMap<String, EnginePrefixList> prefixLists = new TreeMap<>();
    private RecordVersion nodeVersion = new RecordVersion(0, 0);
    private @Nullable NodeConfig node;

    synchronized HelloReply hello() {
        return HelloReply.newBuilder()
                .setProtocolVersion(1)
                .setEngineStartId(startId)
                .setVersion("model")
                .addAllFeatures(features)
                .setWorkerLcores(1)
                .build();
    }

    synchronized ApplyNodeReply applyNode(ApplyNodeRequest request) {
        RecordVersion version = new RecordVersion(request.getEpoch(), request.getSequence());
        if (request.getNode().getDataAddress().isEmpty()) {
            return ApplyNodeReply.newBuilder()
                    .setRejectedCode("INVALID_CONFIG")
                    .setRejectedReason("no data address")
                    .build();
        }
        if (version.isNewerThan(nodeVersion)) {
            nodeVersion = version;
            node = request.getNode();
        }
        return ApplyNodeReply.getDefaultInstance();
    }

    synchronized ApplyPrefixListsReply applyPrefixLists(ApplyPrefixListsRequest request) {
        ApplyPrefixListsReply.Builder reply = ApplyPrefixListsReply.newBuilder();
        for (EnginePrefixList one : request.getUpsertsList()) {
            String id = one.getList().getPrefixListId();
            prefixLists.put(id, one);
            reply.addResults(PrefixListResult.newBuilder().setPrefixListId(id));
        }
        for (String id : request.getDeletePrefixListIdsList()) {
            boolean used = running.values().stream()
                    .anyMatch(one -> one.loadBalancer().getConfig().getListenersList().stream()
                            .anyMatch(listener ->
                                    listener.getDeniedPrefixListIdsList().contains(id)));
            PrefixListResult.Builder result = PrefixListResult.newBuilder().setPrefixListId(id);
            if (used) {
                result.setRejectedCode("PREFIX_LIST_IN_USE").setRejectedReason("a load balancer refers to it");
            } else {
                prefixLists.remove(id);
            }
            reply.addResults(result);
        }
        return reply.build();
    }

    public synchronized Set<String> prefixLists() {
        return new TreeSet<>(prefixLists.keySet());
    }

    synchronized ApplyReply apply(ApplyRequest request) {
        applies.add(request);
        ApplyReply.Builder reply = ApplyReply.newBuilder().setAppliedAtUs(1_800_000_000_000_000L + applies.size());
        for (EngineLoadBalancer one : request.getUpsertsList()) {
            String id = one.getConfig().getLoadBalancerId();
            ApplyResult.Builder result = ApplyResult.newBuilder().setLoadBalancerId(id);
            one.getConfig().getRequiredFeaturesList().stream()
                    .filter(feature -> !features.contains(feature))
                    .findFirst()
                    .ifPresent(feature ->
                            result.setRejectedCode("UNSUPPORTED_FEATURE").setRejectedReason(feature));
            boolean lacksList = one.getConfig().getListenersList().stream()
                    .anyMatch(listener -> !prefixLists.keySet().containsAll(listener.getDeniedPrefixListIdsList()));
            if (lacksList) {
                result.setRejectedCode("INVALID_CONFIG").setRejectedReason("a prefix list is not here");
            }
            String rejection = rejections.get(id);
            if (rejection != null) {
                result.setRejectedCode(rejection).setRejectedReason("by the test");
            }
            Running before = running.get(id);
            RecordVersion version = new RecordVersion(one.getEpoch(), one.getSequence());
            boolean older = before != null
                    && new RecordVersion(
                                    before.loadBalancer().getEpoch(),
                                    before.loadBalancer().getSequence())
                            .isNewerThan(version);
            if (result.getRejectedCode().isEmpty() && !older) {
                running.put(id, new Running(one, new TreeSet<>(one.getUnhealthyMemberIdsList())));
            }
            reply.addResults(result);
        }
        for (String id : request.getDeleteLoadBalancerIdsList()) {
            running.remove(id);
            reply.addResults(ApplyResult.newBuilder().setLoadBalancerId(id));
        }
        for (ApplyResult.Builder result : reply.getResultsBuilderList()) {
            Long drain = drains.get(result.getLoadBalancerId());
            if (drain != null) {
                result.setDrainId(drain).setDrainDeadlineUs(DRAIN_DEADLINE_US);
            }
        }
        return reply.build();
    }

    synchronized SetHealthReply setHealth(SetHealthRequest request) {
        int unknown = 0;
        for (MemberVerdict verdict : request.getVerdictsList()) {
            Running one = running.get(verdict.getLoadBalancerId());
            if (one == null) {
                unknown++;
            } else if (verdict.getHealthy()) {
                one.unhealthy().remove(verdict.getMemberId());
            } else {
                one.unhealthy().add(verdict.getMemberId());
            }
        }
        return SetHealthReply.newBuilder().setUnknownMembers(unknown).build();
    }

    synchronized GetStateReply state() {
        GetStateReply.Builder reply =
                GetStateReply.newBuilder().setNodeEpoch(nodeVersion.epoch()).setNodeSequence(nodeVersion.sequence());
        drains.forEach((id, drain) -> reply.addDraining(DrainingLoadBalancer.newBuilder()
                .setLoadBalancerId(id)
                .setDrainId(drain)
                .setDrainDeadlineUs(DRAIN_DEADLINE_US)));
        prefixLists.forEach((id, one) -> reply.addPrefixLists(AppliedPrefixList.newBuilder()
                .setPrefixListId(id)
                .setEpoch(one.getEpoch())
                .setSequence(one.getSequence())
                .setContentSha256(one.getList().getContentSha256())));
        running.forEach((id, one) -> reply.addLoadBalancers(AppliedLoadBalancer.newBuilder()
                .setLoadBalancerId(id)
                .setEpoch(one.loadBalancer().getEpoch())
                .setSequence(one.loadBalancer().getSequence())
                .setGeneration(one.loadBalancer().getConfig().getGeneration())
                .setConfigSha256(
                        EffectiveConfig.sha256(one.loadBalancer().getConfig().toByteString()))
                .addAllUnhealthyMemberIds(one.unhealthy())));
        return reply.build();
    }

    synchronized GetCountersReply counters() {
        return GetCountersReply.newBuilder()
                .setCountersId(countersId)
                .setTakenAtUs(1)
                .addAllCounters(flows.values())
                .addAllDrops(drops.values())
                .build();
    }

    synchronized ListMembersReply members(String loadBalancerId) {
        ListMembersReply.Builder reply = ListMembersReply.newBuilder();
        running.forEach((id, one) -> {
            if (!loadBalancerId.isEmpty() && !loadBalancerId.equals(id)) {
                return;
            }
            one.loadBalancer()
                    .getConfig()
                    .getPoolsList()
                    .forEach(pool -> pool.getMembersList()
                            .forEach(member -> reply.addMembers(EngineMember.newBuilder()
                                    .setLoadBalancerId(id)
                                    .setPoolId(pool.getPoolId())
                                    .setMemberId(member.getMemberId())
                                    .setWeight(member.getWeight())
                                    .setHealthy(!one.unhealthy().contains(member.getMemberId()))
                                    .setDraining(member.getWeight() == 0)
                                    .setActiveFlows(activeFlows.getOrDefault(member.getMemberId(), 0L))
                                    .setDrainDeadlineUs(member.getWeight() == 0 ? 99 : 0))));
        });
        return reply.build();
    }

    synchronized ProbeOutcome outcome(ByteString address) {
        return outcomes.getOrDefault(address, ProbeOutcome.PROBE_OUTCOME_CONNECTED);
    }

    public synchronized void outcome(ByteString address, ProbeOutcome outcome) {
        outcomes.put(address, outcome);
    }

    /** As an engine that lost its configuration and its counters. */
    public synchronized void wipe() {
        running.clear();
        prefixLists.clear();
        nodeVersion = new RecordVersion(0, 0);
        node = null;
        startId++;
        countersId++;
        flows.clear();
        drops.clear();
    }

    public synchronized @Nullable NodeConfig node() {
        return node;
    }

    public synchronized Map<String, Long> generations() {
        TreeMap<String, Long> generations = new TreeMap<>();
        running.forEach(
                (id, one) -> generations.put(id, one.loadBalancer().getConfig().getGeneration()));
        return generations;
    }

    public synchronized Set<String> unhealthy(String loadBalancerId) {
        Running one = running.get(loadBalancerId);
        return one == null ? Set.of() : new TreeSet<>(one.unhealthy());
    }

    public synchronized EngineLoadBalancer runs(String loadBalancerId) {
        Running one = running.get(loadBalancerId);
        if (one == null) {
            throw new IllegalStateException(loadBalancerId + " does not run");
        }
        return one.loadBalancer();
    }
}
