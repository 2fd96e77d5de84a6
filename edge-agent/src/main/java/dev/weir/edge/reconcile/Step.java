// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.reconcile;

import dev.weir.edge.announce.Announcements;
import dev.weir.messages.v1.MemberVerdict;
import java.util.List;

/**
 * One idempotent change on the way from the actual to the desired state. The agent may die before, during or after any
 * of them; the next plan starts from what is then the case.
 */
public sealed interface Step {
    /** The engine's own address, routes and SNAT ranges. */
    record ApplyNode(DesiredState.NodeTarget target) implements Step {}

    /** Notes what this engine can't run, without asking it. */
    record RejectUnsupported(DesiredState.LoadBalancerTarget target, String feature) implements Step {}

    /** One by one: a list may be as large as a request should be. */
    record ApplyPrefixList(DesiredState.PrefixListTarget target) implements Step {}

    /** Of lists that nothing refers to any more. */
    record DeletePrefixLists(List<String> prefixListIds) implements Step {}

    /** Notes that a load balancer waits for a prefix list that was not read yet. */
    record AwaitPrefixList(DesiredState.LoadBalancerTarget target, String prefixListId) implements Step {}

    record ApplyLoadBalancers(List<DesiredState.LoadBalancerTarget> targets) implements Step {}

    record DeleteLoadBalancers(List<String> loadBalancerIds) implements Step {}

    record SetHealth(List<MemberVerdict> verdicts) implements Step {}

    /** Writes BIRD's files and pokes the guard. */
    record Announce(Announcements announcements) implements Step {}
}
