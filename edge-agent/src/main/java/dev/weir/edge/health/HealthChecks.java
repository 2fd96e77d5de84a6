// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.health;

import dev.weir.edge.AgentTime;
import dev.weir.edge.health.MemberCheck.Verdict;
import dev.weir.edge.store.state.StoredVerdict;
import dev.weir.messages.v1.ProbeOutcome;
import dev.weir.messages.v1.ProbeRequest;
import dev.weir.messages.v1.ProbeResult;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * When which member is probed, and what follows: rise, fall, verdicts. Sends nothing itself. Verdicts outlive the
 * agent, so that its restart changes none. Not thread-safe.
 */
public final class HealthChecks {
    /** Until its first verdict a member is probed at least this often. */
    private static final long UNKNOWN_INTERVAL_MS = 1_000;

    /** The engine answers within the probe's timeout; past this much more the result is not coming. */
    private static final long LOST_AFTER_MS = 1_000;

    /** The share of the interval by which a probe may come early or late. */
    private static final double JITTER = 0.1;

    /** Reason of a member that has failed, but of whose load balancer too many were removed just now. */
    private static final String REMOVAL_HELD = "removal_held";

    private static final Logger log = LoggerFactory.getLogger(HealthChecks.class);

    private final AgentTime time;
    private final RandomGenerator random;
    private final HealthLimits limits;
    private final TreeMap<MemberKey, MemberCheck> checks = new TreeMap<>();
    private final Map<Long, MemberCheck> inFlight = new HashMap<>();
    private final Map<MemberKey, StoredVerdict> stored = new HashMap<>();
    private final Map<String, RemovalBudget> budgets = new HashMap<>();
    // Members whose removal waits for its load balancer's budget, longest first.
    private final Set<MemberKey> held = new LinkedHashSet<>();
    private long lastProbeId;
    private long removalsHeld;
    private boolean unsaved;

    public HealthChecks(AgentTime time, RandomGenerator random, HealthLimits limits) {
        this.time = time;
        this.random = random;
        this.limits = limits;
        // Results of probes that an agent before this one ordered must not match.
        this.lastProbeId = random.nextLong(1L << 40) << 20;
    }

    /** Puts back stored verdicts; they count once their members are targets again. */
    public void restore(Collection<StoredVerdict> verdicts) {
        for (StoredVerdict one : verdicts) {
            stored.put(new MemberKey(one.getLoadBalancerId(), one.getPoolId(), one.getMemberId()), one);
        }
    }

    /** The members to probe from now on; a member with another address or port starts anew. */
    public void setTargets(Collection<ProbeTarget> targets) {
        Set<MemberKey> wanted = new HashSet<>();
        for (ProbeTarget target : targets) {
            wanted.add(target.key());
            MemberCheck check = checks.get(target.key());
            boolean same = check != null
                    && check.target().address().equals(target.address())
                    && check.target().port() == target.port();
            if (check == null || !same) {
                checks.put(target.key(), begin(target));
                held.remove(target.key());
            } else {
                check.target(target);
            }
        }
        if (checks.keySet().retainAll(wanted)) {
            unsaved = true;
        }
        held.retainAll(wanted);
        budgets.keySet().removeIf(loadBalancerId -> of(loadBalancerId).isEmpty());
        inFlight.values().removeIf(check -> checks.get(check.target().key()) != check);
    }

    private MemberCheck begin(ProbeTarget target) {
        MemberCheck check = new MemberCheck(target, Verdict.UNKNOWN, time.unixMicros(), new FlapDamping(limits));
        StoredVerdict before = stored.remove(target.key());
        if (before != null && before.getAddress().equals(target.address()) && before.getPort() == target.port()) {
            check.restore(new MemberStatus(
                    false,
                    before.getHealthy(),
                    before.getReason(),
                    before.getLastProbeUs(),
                    before.getRttUs(),
                    before.getSinceUs()));
            check.damping().restore(before.getRemovals(), before.getHeldDownUntilUs(), time.unixMicros());
        }
        check.dueAtMs = time.monotonicMillis() + (long) (random.nextDouble() * Math.min(intervalMs(check), 500));
        return check;
    }

    /** Verdicts that the engine holds and this agent has lost. */
    public void adoptUnhealthy(String loadBalancerId, Set<String> memberIds) {
        for (MemberCheck check : of(loadBalancerId)) {
            if (check.verdict() == Verdict.UNKNOWN
                    && memberIds.contains(check.target().key().memberId())) {
                check.restore(new MemberStatus(false, false, "", 0, 0, time.unixMicros()));
            }
        }
    }

    /** The probes to send now; each counts as in flight. */
    public List<ProbeRequest> due() {
        long now = time.monotonicMillis();
        List<ProbeRequest> requests = new ArrayList<>();
        for (MemberCheck check : checks.values()) {
            if (check.probeId != 0 && now >= check.probeLostAtMs) {
                inFlight.remove(check.probeId);
                check.probeId = 0;
            }
            if (check.probeId != 0 || now < check.dueAtMs) {
                continue;
            }
            check.probeId = ++lastProbeId;
            check.probeLostAtMs = now + timeoutMs(check) + LOST_AFTER_MS;
            check.dueAtMs = now + jittered(intervalMs(check));
            inFlight.put(check.probeId, check);
            requests.add(request(check));
        }
        return requests;
    }

    private static ProbeRequest request(MemberCheck check) {
        ProbeTarget target = check.target();
        return ProbeRequest.newBuilder()
                .setProbeId(check.probeId)
                .setType(target.monitor().getType())
                .setForwardingMode(target.mode())
                .setMemberAddress(target.address())
                .setMemberPort(target.port())
                .setTimeoutMs((int) timeoutMs(check))
                .setUdpSend(target.monitor().getUdpSend())
                .setUdpExpect(target.monitor().getUdpExpect())
                .setVipAddress(target.vip())
                .setTunnelEncapsulation(target.encapsulation())
                .setTunnelPort(target.tunnelPort())
                .build();
    }

    /** Returns whether a verdict or its reason changed. */
    public boolean onResult(ProbeResult result) {
        MemberCheck check = inFlight.remove(result.getProbeId());
        if (check == null) {
            return false;
        }
        check.probeId = 0;
        if (result.getOutcome() == ProbeOutcome.PROBE_OUTCOME_BUSY
                || result.getOutcome() == ProbeOutcome.PROBE_OUTCOME_UNSPECIFIED
                || result.getOutcome() == ProbeOutcome.UNRECOGNIZED) {
            // Says nothing about the member.
            return false;
        }
        check.record(result.getOutcome(), result.getRttUs(), time.unixMicros());
        return judge(check);
    }

    /** Lets removals happen that were held back and are due; returns whether a verdict or its reason changed. */
    public boolean releaseHeld() {
        boolean changed = false;
        for (MemberKey key : List.copyOf(held)) {
            MemberCheck check = checks.get(key);
            if (check != null && removalFreeAtMs(key.loadBalancerId()) <= time.monotonicMillis()) {
                changed |= judge(check);
            }
        }
        return changed;
    }

    private boolean judge(MemberCheck check) {
        MemberKey key = check.target().key();
        Verdict before = check.verdict();
        Verdict wanted = check.wanted();
        boolean removed = wanted == Verdict.UNHEALTHY && before != Verdict.UNHEALTHY;
        boolean holdRemoval = removed
                && !budget(key.loadBalancerId())
                        .take(time.monotonicMillis(), of(key.loadBalancerId()).size());
        boolean holdDown = wanted == Verdict.HEALTHY
                && before == Verdict.UNHEALTHY
                && check.damping().holds(time.unixMicros());
        if (holdRemoval) {
            hold(key);
        } else {
            held.remove(key);
        }
        boolean changed = check.settle(
                holdRemoval || holdDown ? before : wanted, holdRemoval ? REMOVAL_HELD : "", time.unixMicros());
        unsaved |= changed;
        return changed;
    }

    private void hold(MemberKey key) {
        boolean first = held.stream().noneMatch(one -> one.loadBalancerId().equals(key.loadBalancerId()));
        if (held.add(key)) {
            removalsHeld++;
        }
        if (first) {
            log.atError()
                    .addKeyValue("load_balancer", key.loadBalancerId())
                    .addKeyValue("members", of(key.loadBalancerId()).size())
                    .log("too many members fail at once, their removal is held back");
        }
    }

    private RemovalBudget budget(String loadBalancerId) {
        return budgets.computeIfAbsent(loadBalancerId, id -> new RemovalBudget(limits));
    }

    private long removalFreeAtMs(String loadBalancerId) {
        return budget(loadBalancerId)
                .freeAtMs(time.monotonicMillis(), of(loadBalancerId).size());
    }

    /** The engine is gone and with it the probes it was to answer. */
    public void onEngineLost() {
        inFlight.clear();
        checks.values().forEach(check -> check.probeId = 0);
    }

    /** Of one load balancer, the ids of members held unhealthy. */
    public SortedSet<String> unhealthy(String loadBalancerId) {
        TreeSet<String> ids = new TreeSet<>();
        for (MemberCheck check : of(loadBalancerId)) {
            if (check.verdict() == Verdict.UNHEALTHY) {
                ids.add(check.target().key().memberId());
            }
        }
        return ids;
    }

    /** Unix time in microseconds since when the verdict on a member stands; 0: there is none. */
    public long sinceUs(String loadBalancerId, String memberId) {
        return of(loadBalancerId).stream()
                .filter(check -> check.target().key().memberId().equals(memberId))
                .filter(check -> check.verdict() != Verdict.UNKNOWN)
                .mapToLong(check -> check.status().sinceUs())
                .findFirst()
                .orElse(0);
    }

    public int unhealthyCount() {
        return (int) checks.values().stream()
                .filter(check -> check.verdict() == Verdict.UNHEALTHY)
                .count();
    }

    /** Members that have failed and whose removal waits. */
    public int heldCount() {
        return held.size();
    }

    /** How many removals had to wait so far. */
    public long removalsHeldTotal() {
        return removalsHeld;
    }

    /** Members that are held down because they were removed too often. */
    public int flappingCount() {
        return (int) checks.values().stream()
                .filter(check ->
                        check.verdict() == Verdict.UNHEALTHY && check.damping().holds(time.unixMicros()))
                .count();
    }

    /** Returns empty for a member that is not probed. */
    public Optional<MemberStatus> status(MemberKey key) {
        return Optional.ofNullable(checks.get(key)).map(MemberCheck::status);
    }

    /** Milliseconds until a probe is due, or a removal that was held back; at most {@code limit}. */
    public long delayMs(long limit) {
        long now = time.monotonicMillis();
        long next = now + limit;
        for (MemberCheck check : checks.values()) {
            next = Math.min(next, check.probeId == 0 ? check.dueAtMs : check.probeLostAtMs);
        }
        for (MemberKey key : held) {
            next = Math.min(next, removalFreeAtMs(key.loadBalancerId()));
        }
        return Math.max(0, next - now);
    }

    /** Whether verdicts changed since the last call. */
    public boolean takeUnsaved() {
        boolean was = unsaved;
        unsaved = false;
        return was;
    }

    public List<StoredVerdict> verdicts() {
        List<StoredVerdict> verdicts = new ArrayList<>(stored.values());
        for (MemberCheck check : checks.values()) {
            if (check.verdict() == Verdict.UNKNOWN) {
                continue;
            }
            MemberStatus status = check.status();
            ProbeTarget target = check.target();
            verdicts.add(StoredVerdict.newBuilder()
                    .setLoadBalancerId(target.key().loadBalancerId())
                    .setPoolId(target.key().poolId())
                    .setMemberId(target.key().memberId())
                    .setHealthy(status.healthy())
                    .setReason(status.reason())
                    .setLastProbeUs(status.lastProbeUs())
                    .setRttUs(status.rttUs())
                    .setSinceUs(status.sinceUs())
                    .setAddress(target.address())
                    .setPort(target.port())
                    .setRemovals(check.damping().removals())
                    .setHeldDownUntilUs(check.damping().heldUntilUs())
                    .build());
        }
        return verdicts;
    }

    private Collection<MemberCheck> of(String loadBalancerId) {
        return checks.subMap(new MemberKey(loadBalancerId, "", ""), new MemberKey(loadBalancerId + '\0', "", ""))
                .values();
    }

    private static long timeoutMs(MemberCheck check) {
        int configured = check.target().monitor().getTimeoutMs();
        return configured > 0 ? configured : 1_000;
    }

    private static long intervalMs(MemberCheck check) {
        int configured = check.target().monitor().getIntervalMs();
        long interval = configured > 0 ? configured : 5_000;
        return check.verdict() == Verdict.UNKNOWN ? Math.min(interval, UNKNOWN_INTERVAL_MS) : interval;
    }

    private long jittered(long intervalMs) {
        return (long) (intervalMs * (1 - JITTER + 2 * JITTER * random.nextDouble()));
    }
}
