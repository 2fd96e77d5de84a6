// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.reconcile;

import dev.weir.edge.announce.Address;
import dev.weir.edge.announce.Announcements;
import dev.weir.edge.reconcile.ActualState.Applied;
import dev.weir.edge.reconcile.ActualState.Rejection;
import dev.weir.edge.reconcile.DesiredState.LoadBalancerTarget;
import dev.weir.edge.reconcile.DesiredState.NodeTarget;
import dev.weir.messages.v1.LoadBalancerConfig;
import dev.weir.messages.v1.MemberVerdict;
import dev.weir.messages.v1.VipAttachment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * The difference between what should be and what is, as steps. Pure. The order matters: routes are withdrawn before
 * what they lead to goes, and offered only after it runs.
 */
public final class Plan {
    /** Load balancers per request, so that one request stays well below the protocol's limit. */
    static final int MAX_BATCH = 64;

    /** Bytes of configuration per request; a single load balancer is far smaller. */
    static final int MAX_BATCH_BYTES = 4 * 1024 * 1024;

    private Plan() {}

    /** Returns the steps from {@code actual} to {@code desired}; empty when they agree. */
    public static List<Step> plan(DesiredState desired, ActualState actual) {
        List<Step> steps = new ArrayList<>();
        announce(desired, actual).ifPresent(steps::add);
        node(desired, actual).ifPresent(steps::add);
        deletions(desired, actual).ifPresent(steps::add);
        steps.addAll(PrefixListPlan.upserts(desired, actual));
        upserts(desired, actual, steps);
        PrefixListPlan.deletions(desired, actual).ifPresent(steps::add);
        health(desired, actual).ifPresent(steps::add);
        return List.copyOf(steps);
    }

    private static Optional<Step> node(DesiredState desired, ActualState actual) {
        NodeTarget node = desired.node();
        if (node == null || !mustApply(node, actual)) {
            return Optional.empty();
        }
        Rejection rejection = actual.rejections().get(node.config().getNodeId());
        if (rejection != null && rejection.version().equals(node.version())) {
            return Optional.empty();
        }
        return Optional.of(new Step.ApplyNode(node));
    }

    // Peers come and go without a new record of this node.
    private static boolean mustApply(NodeTarget node, ActualState actual) {
        return node.version().isNewerThan(actual.nodeVersion())
                || (node.version().equals(actual.nodeVersion()) && !node.peers().equals(actual.peers()));
    }

    private static Optional<Step> deletions(DesiredState desired, ActualState actual) {
        List<String> gone = actual.applied().keySet().stream()
                .filter(id -> !desired.loadBalancers().containsKey(id))
                .filter(id -> desired.removeUnknown() || desired.removals().contains(id))
                .limit(MAX_BATCH)
                .toList();
        return gone.isEmpty() ? Optional.empty() : Optional.of(new Step.DeleteLoadBalancers(gone));
    }

    private static void upserts(DesiredState desired, ActualState actual, List<Step> steps) {
        List<LoadBalancerTarget> batch = new ArrayList<>();
        int bytes = 0;
        for (LoadBalancerTarget target : desired.loadBalancers().values()) {
            if (!mustApply(target, desired, actual)) {
                continue;
            }
            Optional<String> missing = target.config().getRequiredFeaturesList().stream()
                    .filter(feature -> !actual.features().contains(feature))
                    .findFirst();
            if (missing.isPresent()) {
                steps.add(new Step.RejectUnsupported(target, missing.get()));
                continue;
            }
            Optional<String> list = PrefixListPlan.missing(target, desired);
            if (list.isPresent()) {
                steps.add(new Step.AwaitPrefixList(target, list.get()));
                continue;
            }
            int size = target.config().getSerializedSize();
            if (!batch.isEmpty() && (batch.size() == MAX_BATCH || bytes + size > MAX_BATCH_BYTES)) {
                steps.add(new Step.ApplyLoadBalancers(List.copyOf(batch)));
                batch.clear();
                bytes = 0;
            }
            batch.add(target);
            bytes += size;
        }
        if (!batch.isEmpty()) {
            steps.add(new Step.ApplyLoadBalancers(List.copyOf(batch)));
        }
    }

    private static boolean mustApply(LoadBalancerTarget target, DesiredState desired, ActualState actual) {
        Rejection rejection = actual.rejections().get(target.id());
        if (rejection != null
                && rejection.version().equals(target.version())
                && rejection.configSha256().equals(target.configSha256())) {
            return PrefixListPlan.isAwaited(rejection)
                    && PrefixListPlan.missing(target, desired).isEmpty();
        }
        Applied applied = actual.applied().get(target.id());
        if (applied == null) {
            return true;
        }
        // Under the same version the content changes when an overlay's entry ends.
        return target.version().isNewerThan(applied.version())
                || (target.version().equals(applied.version())
                        && !target.configSha256().equals(applied.configSha256()));
    }

    private static Optional<Step> health(DesiredState desired, ActualState actual) {
        List<MemberVerdict> verdicts = new ArrayList<>();
        for (LoadBalancerTarget target : desired.loadBalancers().values()) {
            Applied applied = actual.applied().get(target.id());
            if (applied == null || applied.unhealthyMembers().equals(target.unhealthyMembers())) {
                continue;
            }
            for (String member : target.unhealthyMembers()) {
                if (!applied.unhealthyMembers().contains(member)) {
                    verdicts.add(verdict(target.id(), member, false));
                }
            }
            for (String member : applied.unhealthyMembers()) {
                if (!target.unhealthyMembers().contains(member)) {
                    verdicts.add(verdict(target.id(), member, true));
                }
            }
        }
        return verdicts.isEmpty() ? Optional.empty() : Optional.of(new Step.SetHealth(verdicts));
    }

    private static MemberVerdict verdict(String loadBalancerId, String memberId, boolean healthy) {
        return MemberVerdict.newBuilder()
                .setLoadBalancerId(loadBalancerId)
                .setMemberId(memberId)
                .setHealthy(healthy)
                .build();
    }

    private static Optional<Step> announce(DesiredState desired, ActualState actual) {
        NodeTarget node = desired.node();
        if (node == null || actual.nodeVersion().equals(new RecordVersion(0, 0))) {
            return Optional.empty();
        }
        SortedSet<Address> vips = node.drained() ? new TreeSet<>() : announcedVips(desired, actual);
        Announcements wanted = new Announcements(node.config(), vips);
        return wanted.equals(actual.announced()) ? Optional.empty() : Optional.of(new Step.Announce(wanted));
    }

    /** VIPs that some applied generation serves and the newest record still wants. */
    private static SortedSet<Address> announcedVips(DesiredState desired, ActualState actual) {
        TreeSet<Address> vips = new TreeSet<>();
        TreeSet<Address> refused = new TreeSet<>();
        boolean unknownKept = false;
        for (Map.Entry<String, Applied> entry : actual.applied().entrySet()) {
            LoadBalancerTarget target = desired.loadBalancers().get(entry.getKey());
            LoadBalancerConfig running = entry.getValue().running();
            if (target == null) {
                boolean leaves = desired.removeUnknown() || desired.removals().contains(entry.getKey());
                unknownKept |= !leaves;
                continue;
            }
            SortedSet<Address> wanted = rejected(target, actual) && running != null
                    ? announceable(running, target)
                    : announceable(target.config(), target);
            for (VipAttachment vip : target.config().getVipsList()) {
                refused.add(new Address(vip.getAddress()));
            }
            // Without a copy of what runs, what was announced before stays.
            SortedSet<Address> served = running == null ? actual.announcedVips() : addresses(running);
            wanted.stream().filter(served::contains).forEach(vips::add);
        }
        if (unknownKept) {
            // An agent that lost its records must not withdraw what its engine still serves.
            actual.announcedVips().stream()
                    .filter(vip -> !refused.contains(vip))
                    .forEach(vips::add);
        }
        return vips;
    }

    private static boolean rejected(LoadBalancerTarget target, ActualState actual) {
        Rejection rejection = actual.rejections().get(target.id());
        return rejection != null && rejection.version().equals(target.version());
    }

    private static SortedSet<Address> announceable(LoadBalancerConfig config, LoadBalancerTarget target) {
        return target.mayBeAnnounced() && config.getEnabled() ? addresses(config) : new TreeSet<>();
    }

    private static SortedSet<Address> addresses(LoadBalancerConfig config) {
        TreeSet<Address> addresses = new TreeSet<>();
        config.getVipsList().forEach(vip -> addresses.add(new Address(vip.getAddress())));
        return addresses;
    }
}
