// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.drill;

import dev.weir.testbed.scenario.Report;
import dev.weir.testbed.scenario.Scenario;
import dev.weir.testbed.topology.NodePlan;
import dev.weir.testbed.topology.PopPlan;
import dev.weir.testbed.topology.Routes;
import dev.weir.testbed.traffic.Client;
import dev.weir.testbed.traffic.HttpResult;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Nodes are cut off without a word: how long until clients are served again, and what broke. */
final class SuddenLoss implements Drill {
    private final boolean wholePop;

    /** @param wholePop all nodes of PoP 1 instead of its first */
    SuddenLoss(boolean wholePop) {
        this.wholePop = wholePop;
    }

    @Override
    public String name() {
        return wholePop ? "pop-loss" : "node-loss";
    }

    @Override
    public void run(DrillRun run) throws IOException, InterruptedException {
        Report report = run.report();
        List<NodePlan> all = run.scenario().shape.nodes(1);
        List<NodePlan> lost = wholePop ? all : List.of(all.getFirst());
        try (DrillRun.Traffic traffic = run.traffic();
                Client.Running<HttpResult> load = run.load()) {
            TimeUnit.SECONDS.sleep(1);
            report.step("Cut off " + lost.stream().map(NodePlan::name).toList());
            long begun = System.nanoTime();
            try {
                for (NodePlan node : lost) {
                    run.link(node, false);
                }
                awaitWithdrawn(run, lost);
                report.figure("routes_moved_after_ms", Scenario.millisSince(begun));
                TimeUnit.SECONDS.sleep(3);
                run.checkServed("after the loss");
                int broken = traffic.broken();
                report.figure("held_broken", broken);
                report.figure("held", traffic.connections());
                if (!wholePop) {
                    // The other node finds their members by the Maglev table.
                    report.check(
                            "the other node of the PoP goes on with the lost one's connections",
                            broken == 0,
                            broken + " of " + traffic.connections());
                }
            } finally {
                for (NodePlan node : lost) {
                    run.link(node, true);
                }
            }
            HttpResult result = load.look();
            report.figure("new_connections", result.requests());
            report.figure("new_connections_failed", result.failed());
            report.step("Join again");
            begun = System.nanoTime();
            for (NodePlan node : lost) {
                run.scenario().awaitNextHop(node, true);
            }
            report.figure("announced_again_after_ms", Scenario.millisSince(begun));
            TimeUnit.SECONDS.sleep(2);
            int failedBefore = load.look().failed();
            TimeUnit.SECONDS.sleep(3);
            report.check("no new connection fails any more", load.look().failed() == failedBefore, "");
        }
    }

    private static void awaitWithdrawn(DrillRun run, List<NodePlan> lost) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + Scenario.LONGEST.toNanos();
        List<String> addresses = lost.stream().map(NodePlan::dataAddress).toList();
        while (Routes.nextHops(run.scenario().topology, new PopPlan(1).router(), run.vip()).stream()
                .anyMatch(addresses::contains)) {
            if (System.nanoTime() > deadline) {
                throw new IOException("still routed to " + addresses);
            }
            TimeUnit.MILLISECONDS.sleep(10);
        }
    }
}
