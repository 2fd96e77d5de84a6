// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.reconcile;

import dev.weir.edge.reconcile.ActualState.Applied;
import dev.weir.edge.reconcile.ActualState.Rejection;
import dev.weir.edge.reconcile.DesiredState.LoadBalancerTarget;
import dev.weir.edge.reconcile.DesiredState.PrefixListTarget;
import dev.weir.messages.v1.LoadBalancerConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;

/**
 * The prefix lists' part of a plan. The engine has a list exactly while something here refers to it: from before the
 * load balancer is applied until after it is gone. Pure.
 */
final class PrefixListPlan {
    static final String MISSING = "PREFIX_LIST_MISSING";

    private static final String FEATURE = "prefix_lists";

    private PrefixListPlan() {}

    static List<Step> upserts(DesiredState desired, ActualState actual) {
        List<Step> steps = new ArrayList<>();
        if (!actual.features().contains(FEATURE)) {
            return steps;
        }
        for (String id : wanted(desired)) {
            PrefixListTarget target = desired.prefixLists().get(id);
            if (target != null && mustApply(target, actual)) {
                steps.add(new Step.ApplyPrefixList(target));
            }
        }
        return steps;
    }

    private static boolean mustApply(PrefixListTarget target, ActualState actual) {
        String id = target.record().getPrefixListId();
        Rejection rejection = actual.rejections().get(id);
        if (rejection != null && rejection.version().equals(target.version())) {
            return false;
        }
        RecordVersion applied = actual.prefixLists().get(id);
        return applied == null || target.version().isNewerThan(applied);
    }

    static Optional<Step> deletions(DesiredState desired, ActualState actual) {
        TreeSet<String> gone = new TreeSet<>(actual.prefixLists().keySet());
        gone.removeAll(wanted(desired));
        for (Applied applied : actual.applied().values()) {
            LoadBalancerConfig running = applied.running();
            if (running == null) {
                // What it refers to is not known.
                return Optional.empty();
            }
            gone.removeAll(DesiredState.prefixListsOf(running));
        }
        return gone.isEmpty() ? Optional.empty() : Optional.of(new Step.DeletePrefixLists(List.copyOf(gone)));
    }

    private static TreeSet<String> wanted(DesiredState desired) {
        TreeSet<String> ids = new TreeSet<>();
        desired.loadBalancers().values().forEach(target -> ids.addAll(DesiredState.prefixListsOf(target.config())));
        return ids;
    }

    /** A list that the load balancer needs and no record told of. */
    static Optional<String> missing(LoadBalancerTarget target, DesiredState desired) {
        return DesiredState.prefixListsOf(target.config()).stream()
                .filter(id -> !desired.prefixLists().containsKey(id))
                .findFirst();
    }

    static boolean isAwaited(Rejection rejection) {
        return rejection.code().equals(MISSING);
    }
}
