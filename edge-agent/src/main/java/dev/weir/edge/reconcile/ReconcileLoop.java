// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.reconcile;

import com.google.protobuf.ByteString;
import dev.weir.edge.announce.Announcer;
import dev.weir.edge.engine.Engine;
import dev.weir.edge.engine.EngineException;
import dev.weir.edge.reconcile.ActualState.Applied;
import dev.weir.edge.reconcile.ActualState.Rejection;
import dev.weir.edge.reconcile.DesiredState.LoadBalancerTarget;
import dev.weir.edge.reconcile.DesiredState.NodeTarget;
import dev.weir.edge.reconcile.DesiredState.PrefixListTarget;
import dev.weir.messages.v1.ApplyNodeReply;
import dev.weir.messages.v1.ApplyNodeRequest;
import dev.weir.messages.v1.ApplyPrefixListsReply;
import dev.weir.messages.v1.ApplyPrefixListsRequest;
import dev.weir.messages.v1.ApplyReply;
import dev.weir.messages.v1.ApplyRequest;
import dev.weir.messages.v1.ApplyResult;
import dev.weir.messages.v1.EngineLoadBalancer;
import dev.weir.messages.v1.EnginePrefixList;
import dev.weir.messages.v1.MemberVerdict;
import dev.weir.messages.v1.PrefixListResult;
import dev.weir.messages.v1.SetHealthRequest;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Executes plans: one step, then a new plan from what is now the case, until nothing is left. Holds no state between
 * calls, so that it can be stopped between any two steps.
 */
public final class ReconcileLoop {
    private static final Logger log = LoggerFactory.getLogger(ReconcileLoop.class);

    private final Announcer announcer;
    private final VerdictTimes verdictTimes;
    private final Consumer<Step> beforeStep;

    /** Since when a verdict stands. */
    @FunctionalInterface
    public interface VerdictTimes {
        /** Returns Unix time in microseconds; 0: not known. */
        long sinceUs(String loadBalancerId, String memberId);
    }

    public ReconcileLoop(Announcer announcer, VerdictTimes verdictTimes) {
        this(announcer, verdictTimes, step -> {});
    }

    /** @param beforeStep sees each step before it is executed; tests stop the loop here */
    ReconcileLoop(Announcer announcer, VerdictTimes verdictTimes, Consumer<Step> beforeStep) {
        this.announcer = announcer;
        this.verdictTimes = verdictTimes;
        this.beforeStep = beforeStep;
    }

    /**
     * @param actual      what is the case now
     * @param appliedAtUs Unix time of the engine's last acknowledgement; 0: nothing had to be applied
     * @param drains      by load balancer id, what goes on after what was applied
     * @param failure     null: actual and desired agree, but for what was rejected
     */
    public record Outcome(
            ActualState actual,
            long appliedAtUs,
            Map<String, Drain> drains,
            @Nullable EngineException failure) {}

    public Outcome converge(DesiredState desired, ActualState start, Engine engine) {
        ActualState actual = start;
        long appliedAtUs = 0;
        Map<String, Drain> drains = new HashMap<>();
        // Each step settles at least one difference; the bound only guards against an engine that forgets.
        int bound = 100 + 4 * (desired.loadBalancers().size() + start.applied().size());
        for (int turn = 0; turn < bound; turn++) {
            List<Step> steps = Plan.plan(desired, actual);
            if (steps.isEmpty()) {
                return new Outcome(actual, appliedAtUs, drains, null);
            }
            Step step = steps.getFirst();
            beforeStep.accept(step);
            try {
                Executed executed = execute(step, actual, engine);
                actual = executed.actual();
                appliedAtUs = Math.max(appliedAtUs, executed.appliedAtUs());
                drains.putAll(executed.drains());
            } catch (EngineException e) {
                return new Outcome(actual, appliedAtUs, drains, e);
            }
        }
        return new Outcome(
                actual, appliedAtUs, drains, EngineException.unavailable("no end after " + bound + " steps"));
    }

    private record Executed(ActualState actual, long appliedAtUs, Map<String, Drain> drains) {
        Executed(ActualState actual) {
            this(actual, 0, Map.of());
        }
    }

    private Executed execute(Step step, ActualState actual, Engine engine) throws EngineException {
        return switch (step) {
            case Step.ApplyNode(NodeTarget target) -> new Executed(applyNode(target, actual, engine));
            case Step.RejectUnsupported(LoadBalancerTarget target, String feature) ->
                new Executed(reject(target, actual, "UNSUPPORTED_FEATURE", "the engine has no " + feature));
            case Step.ApplyPrefixList(PrefixListTarget target) -> new Executed(applyPrefixList(target, actual, engine));
            case Step.DeletePrefixLists(List<String> ids) -> new Executed(deletePrefixLists(ids, actual, engine));
            case Step.AwaitPrefixList(LoadBalancerTarget target, String id) ->
                new Executed(
                        reject(target, actual, PrefixListPlan.MISSING, "prefix list " + id + " has not arrived yet"));
            case Step.ApplyLoadBalancers(List<LoadBalancerTarget> targets) -> apply(targets, actual, engine);
            case Step.DeleteLoadBalancers(List<String> ids) -> delete(ids, actual, engine);
            case Step.SetHealth(List<MemberVerdict> verdicts) -> new Executed(setHealth(verdicts, actual, engine));
            case Step.Announce(var announcements) -> {
                announcer.announce(announcements);
                log.atInfo().addKeyValue("vips", announcements.vips()).log("announcements written");
                yield new Executed(actual.withAnnounced(announcements));
            }
        };
    }

    private static ActualState applyNode(NodeTarget target, ActualState actual, Engine engine) throws EngineException {
        ApplyNodeReply reply = engine.applyNode(ApplyNodeRequest.newBuilder()
                .setEpoch(target.version().epoch())
                .setSequence(target.version().sequence())
                .setNode(target.config())
                .addAllPeers(target.peers())
                .build());
        if (reply.getRejectedCode().isEmpty()) {
            log.atInfo()
                    .addKeyValue("sequence", target.version().sequence())
                    .addKeyValue("peers", target.peers().size())
                    .log("node configuration applied");
            return actual.withNode(target.version(), target.peers());
        }
        log.atError()
                .addKeyValue("code", reply.getRejectedCode())
                .addKeyValue("reason", reply.getRejectedReason())
                .log("engine rejected its node configuration");
        return actual.with(
                Map.of(),
                List.of(),
                Map.of(
                        target.config().getNodeId(),
                        new Rejection(
                                target.version(),
                                ByteString.EMPTY,
                                reply.getRejectedCode(),
                                reply.getRejectedReason(),
                                0)));
    }

    private static ActualState applyPrefixList(PrefixListTarget target, ActualState actual, Engine engine)
            throws EngineException {
        String id = target.record().getPrefixListId();
        ApplyPrefixListsReply reply = engine.applyPrefixLists(ApplyPrefixListsRequest.newBuilder()
                .addUpserts(EnginePrefixList.newBuilder()
                        .setEpoch(target.version().epoch())
                        .setSequence(target.version().sequence())
                        .setList(target.record()))
                .build());
        for (PrefixListResult result : reply.getResultsList()) {
            if (!result.getRejectedCode().isEmpty()) {
                log.atWarn()
                        .addKeyValue("prefix_list", id)
                        .addKeyValue("code", result.getRejectedCode())
                        .addKeyValue("reason", result.getRejectedReason())
                        .log("prefix list rejected, what was there before stays");
                Rejection rejection = new Rejection(
                        target.version(),
                        target.record().getContentSha256(),
                        result.getRejectedCode(),
                        result.getRejectedReason(),
                        0);
                return actual.with(Map.of(), List.of(), Map.of(id, rejection));
            }
        }
        log.atInfo()
                .addKeyValue("prefix_list", id)
                .addKeyValue("sequence", target.version().sequence())
                .log("prefix list applied");
        return actual.withPrefixList(id, target.version());
    }

    private static ActualState deletePrefixLists(List<String> ids, ActualState actual, Engine engine)
            throws EngineException {
        ApplyPrefixListsReply reply = engine.applyPrefixLists(ApplyPrefixListsRequest.newBuilder()
                .addAllDeletePrefixListIds(ids)
                .build());
        for (PrefixListResult result : reply.getResultsList()) {
            if (!result.getRejectedCode().isEmpty()) {
                log.atError()
                        .addKeyValue("prefix_list", result.getPrefixListId())
                        .addKeyValue("code", result.getRejectedCode())
                        .addKeyValue("reason", result.getRejectedReason())
                        .log("engine refused to remove a prefix list");
            }
        }
        // A refused removal is asked again after the next connection, not in a loop.
        return actual.withoutPrefixLists(ids);
    }

    private static Executed apply(List<LoadBalancerTarget> targets, ActualState actual, Engine engine)
            throws EngineException {
        ApplyRequest.Builder request = ApplyRequest.newBuilder();
        for (LoadBalancerTarget target : targets) {
            request.addUpserts(EngineLoadBalancer.newBuilder()
                    .setEpoch(target.version().epoch())
                    .setSequence(target.version().sequence())
                    .setConfig(target.config())
                    .addAllUnhealthyMemberIds(target.unhealthyMembers()));
        }
        ApplyReply reply = engine.apply(request.build());
        Map<String, ApplyResult> refused = refused(reply);
        Map<String, Applied> applied = new HashMap<>();
        ActualState after = actual;
        for (LoadBalancerTarget target : targets) {
            ApplyResult result = refused.get(target.id());
            if (result != null) {
                after = reject(target, after, result.getRejectedCode(), result.getRejectedReason());
                continue;
            }
            applied.put(
                    target.id(),
                    new Applied(
                            target.version(),
                            target.config().getGeneration(),
                            target.configSha256(),
                            target.unhealthyMembers(),
                            target.config()));
            log.atInfo()
                    .addKeyValue("load_balancer", target.id())
                    .addKeyValue("generation", target.config().getGeneration())
                    .addKeyValue("sequence", target.version().sequence())
                    .log("load balancer applied");
        }
        return new Executed(after.with(applied, List.of(), Map.of()), reply.getAppliedAtUs(), drains(reply));
    }

    private static Executed delete(List<String> ids, ActualState actual, Engine engine) throws EngineException {
        ApplyReply reply = engine.apply(
                ApplyRequest.newBuilder().addAllDeleteLoadBalancerIds(ids).build());
        Map<String, ApplyResult> refused = refused(reply);
        for (String id : ids) {
            ApplyResult result = refused.get(id);
            if (result == null) {
                log.atInfo().addKeyValue("load_balancer", id).log("load balancer removed");
            } else {
                log.atError()
                        .addKeyValue("load_balancer", id)
                        .addKeyValue("code", result.getRejectedCode())
                        .addKeyValue("reason", result.getRejectedReason())
                        .log("engine refused to remove a load balancer");
            }
        }
        // A refused removal is asked again after the next connection, not in a loop.
        return new Executed(actual.with(Map.of(), ids, Map.of()), reply.getAppliedAtUs(), drains(reply));
    }

    private static Map<String, Drain> drains(ApplyReply reply) {
        Map<String, Drain> drains = new HashMap<>();
        for (ApplyResult result : reply.getResultsList()) {
            if (result.getDrainId() != 0) {
                drains.put(result.getLoadBalancerId(), new Drain(result.getDrainId(), result.getDrainDeadlineUs()));
            }
        }
        return drains;
    }

    private static Map<String, ApplyResult> refused(ApplyReply reply) {
        Map<String, ApplyResult> refused = new HashMap<>();
        for (ApplyResult result : reply.getResultsList()) {
            if (!result.getRejectedCode().isEmpty()) {
                refused.put(result.getLoadBalancerId(), result);
            }
        }
        return refused;
    }

    private static ActualState reject(LoadBalancerTarget target, ActualState actual, String code, String reason) {
        Applied running = actual.applied().get(target.id());
        log.atWarn()
                .addKeyValue("load_balancer", target.id())
                .addKeyValue("sequence", target.version().sequence())
                .addKeyValue("code", code)
                .addKeyValue("reason", reason)
                .log("load balancer rejected, what ran before stays");
        return actual.with(
                Map.of(),
                List.of(),
                Map.of(
                        target.id(),
                        new Rejection(
                                target.version(),
                                target.configSha256(),
                                code,
                                reason,
                                running == null ? 0 : running.generation())));
    }

    private ActualState setHealth(List<MemberVerdict> verdicts, ActualState actual, Engine engine)
            throws EngineException {
        SetHealthRequest.Builder request = SetHealthRequest.newBuilder();
        for (MemberVerdict verdict : verdicts) {
            request.addVerdicts(verdict.toBuilder()
                    .setSinceUs(verdictTimes.sinceUs(verdict.getLoadBalancerId(), verdict.getMemberId())));
        }
        engine.setHealth(request.build());
        Map<String, Applied> changed = new HashMap<>();
        for (MemberVerdict verdict : verdicts) {
            Applied before = changed.getOrDefault(
                    verdict.getLoadBalancerId(), actual.applied().get(verdict.getLoadBalancerId()));
            if (before == null) {
                continue;
            }
            TreeSet<String> unhealthy = new TreeSet<>(before.unhealthyMembers());
            if (verdict.getHealthy()) {
                unhealthy.remove(verdict.getMemberId());
            } else {
                unhealthy.add(verdict.getMemberId());
            }
            changed.put(
                    verdict.getLoadBalancerId(),
                    new Applied(
                            before.version(), before.generation(), before.configSha256(), unhealthy, before.running()));
        }
        return actual.withHealth(changed);
    }
}
