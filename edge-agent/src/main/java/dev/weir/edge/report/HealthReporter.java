// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.report;

import dev.weir.edge.AgentTime;
import dev.weir.edge.engine.Engine;
import dev.weir.edge.engine.EngineException;
import dev.weir.edge.health.HealthChecks;
import dev.weir.edge.health.MemberKey;
import dev.weir.edge.health.MemberStatus;
import dev.weir.edge.reconcile.ActualState;
import dev.weir.edge.reconcile.ActualState.Applied;
import dev.weir.messages.v1.EngineMember;
import dev.weir.messages.v1.HealthReport;
import dev.weir.messages.v1.LoadBalancerConfig;
import dev.weir.messages.v1.Member;
import dev.weir.messages.v1.MemberHealthReport;
import dev.weir.messages.v1.OperatingStatus;
import dev.weir.messages.v1.Pool;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Says how each load balancer's members do, with the flows that draining ones still have: on change, and each minute.
 * Not thread-safe.
 */
public final class HealthReporter {
    private static final long LOOK_MS = 2_000;
    private static final long CHANGED_MS = 50;
    private static final long REPEAT_MS = 60_000;

    private final String nodeId;
    private final String popId;
    private final AgentTime time;
    private final Reports reports;
    private final Map<String, Sent> sent = new HashMap<>();
    private final Map<MemberKey, Since> since = new HashMap<>();
    private boolean changed = true;
    private long lastLookMs;

    private record Sent(List<MemberHealthReport> essence, long generation, long atMs) {}

    private record Since(OperatingStatus status, long atUs) {}

    public HealthReporter(String nodeId, String popId, AgentTime time, Reports reports) {
        this.nodeId = nodeId;
        this.popId = popId;
        this.time = time;
        this.reports = reports;
        this.lastLookMs = time.monotonicMillis() - LOOK_MS;
    }

    public void changed() {
        changed = true;
    }

    public long delayMs() {
        return Math.max(0, lastLookMs + (changed ? CHANGED_MS : LOOK_MS) - time.monotonicMillis());
    }

    public void reportIfDue(Engine engine, ActualState actual, HealthChecks checks) throws EngineException {
        if (delayMs() > 0) {
            return;
        }
        long nowMs = time.monotonicMillis();
        lastLookMs = nowMs;
        changed = false;
        Map<String, Map<MemberKey, EngineMember>> members = byLoadBalancer(engine);
        Set<MemberKey> seen = new HashSet<>();
        for (Map.Entry<String, Applied> entry : actual.applied().entrySet()) {
            LoadBalancerConfig running = entry.getValue().running();
            if (running != null) {
                report(running, members.getOrDefault(entry.getKey(), Map.of()), checks, seen, nowMs);
            }
        }
        since.keySet().retainAll(seen);
        for (String gone : List.copyOf(sent.keySet())) {
            if (!actual.applied().containsKey(gone)) {
                sent.remove(gone);
                reports.health(gone, null);
            }
        }
    }

    private static Map<String, Map<MemberKey, EngineMember>> byLoadBalancer(Engine engine) throws EngineException {
        Map<String, Map<MemberKey, EngineMember>> members = new HashMap<>();
        for (EngineMember member : engine.listMembers("").getMembersList()) {
            members.computeIfAbsent(member.getLoadBalancerId(), id -> new HashMap<>())
                    .put(new MemberKey(member.getLoadBalancerId(), member.getPoolId(), member.getMemberId()), member);
        }
        return members;
    }

    private void report(
            LoadBalancerConfig running,
            Map<MemberKey, EngineMember> inEngine,
            HealthChecks checks,
            Set<MemberKey> seen,
            long nowMs) {
        TreeMap<MemberKey, MemberHealthReport> reported = new TreeMap<>();
        for (Pool pool : running.getPoolsList()) {
            for (Member member : pool.getMembersList()) {
                MemberKey key = new MemberKey(running.getLoadBalancerId(), pool.getPoolId(), member.getMemberId());
                reported.put(key, member(key, member, inEngine.get(key), checks));
            }
        }
        inEngine.forEach((key, member) -> {
            // Removed from the configuration, with flows that may still finish.
            if (!reported.containsKey(key) && member.getActiveFlows() > 0) {
                reported.put(key, member(key, null, member, checks));
            }
        });
        seen.addAll(reported.keySet());
        List<MemberHealthReport> essence =
                reported.values().stream().map(HealthReporter::essence).toList();
        Sent before = sent.get(running.getLoadBalancerId());
        if (before != null
                && before.essence().equals(essence)
                && before.generation() == running.getGeneration()
                && nowMs - before.atMs() < REPEAT_MS) {
            return;
        }
        sent.put(running.getLoadBalancerId(), new Sent(essence, running.getGeneration(), nowMs));
        reports.health(
                running.getLoadBalancerId(),
                HealthReport.newBuilder()
                        .setNodeId(nodeId)
                        .setPopId(popId)
                        .setLoadBalancerId(running.getLoadBalancerId())
                        .setProjectId(running.getProjectId())
                        .setSentAtUs(time.unixMicros())
                        .setGeneration(running.getGeneration())
                        .addAllMembers(reported.values())
                        .build());
    }

    private MemberHealthReport member(
            MemberKey key, @Nullable Member member, @Nullable EngineMember inEngine, HealthChecks checks) {
        long flows = inEngine == null ? 0 : inEngine.getActiveFlows();
        MemberHealthReport.Builder report = MemberHealthReport.newBuilder()
                .setPoolId(key.poolId())
                .setMemberId(key.memberId())
                .setActiveFlows(flows);
        MemberStatus probed = checks.status(key).orElse(null);
        OperatingStatus status;
        if (member == null || member.getWeight() == 0 || !member.getEnabled()) {
            status = flows > 0 ? OperatingStatus.OPERATING_STATUS_DRAINING : OperatingStatus.OPERATING_STATUS_DISABLED;
        } else if (probed == null) {
            status = OperatingStatus.OPERATING_STATUS_UNMONITORED;
        } else if (probed.unknown()) {
            status = OperatingStatus.OPERATING_STATUS_UNKNOWN;
        } else {
            status = probed.healthy()
                    ? OperatingStatus.OPERATING_STATUS_HEALTHY
                    : OperatingStatus.OPERATING_STATUS_UNHEALTHY;
        }
        if (status == OperatingStatus.OPERATING_STATUS_DRAINING && inEngine != null) {
            report.setDrainDeadlineUs(inEngine.getDrainDeadlineUs());
        }
        if (probed != null) {
            report.setReason(probed.reason())
                    .setLastProbeUs(probed.lastProbeUs())
                    .setRttUs(probed.rttUs());
        }
        boolean byVerdict = status == OperatingStatus.OPERATING_STATUS_HEALTHY
                || status == OperatingStatus.OPERATING_STATUS_UNHEALTHY;
        Since known = since.get(key);
        if (known == null || known.status() != status) {
            known = new Since(status, byVerdict && probed != null ? probed.sinceUs() : time.unixMicros());
            since.put(key, known);
        }
        return report.setStatus(status).setSinceUs(known.atUs()).build();
    }

    /** What makes a report worth sending; of a draining member also the flows it has left. */
    private static MemberHealthReport essence(MemberHealthReport report) {
        MemberHealthReport.Builder essence =
                report.toBuilder().clearLastProbeUs().clearRttUs();
        return report.getStatus() == OperatingStatus.OPERATING_STATUS_DRAINING
                ? essence.build()
                : essence.clearActiveFlows().build();
    }
}
