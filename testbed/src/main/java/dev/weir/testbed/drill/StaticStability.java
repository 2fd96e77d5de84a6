// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.drill;

import dev.weir.testbed.scenario.Report;
import dev.weir.testbed.topology.NodePlan;
import java.io.IOException;
import java.util.concurrent.TimeUnit;

/** The whole centre dies, then every agent and every engine is restarted: traffic goes on from what the edge has. */
final class StaticStability implements Drill {
    @Override
    public String name() {
        return "static-stability";
    }

    @Override
    public void run(DrillRun run) throws IOException, InterruptedException {
        Report report = run.report();
        try (DrillRun.Traffic traffic = run.traffic()) {
            report.figure("connections", traffic.connections());
            unbroken(run, traffic, "before any fault");
            report.step("Kill the centre");
            for (String part : DrillRun.CENTRE) {
                run.faults().kill(part);
            }
            TimeUnit.SECONDS.sleep(3);
            unbroken(run, traffic, "without the centre");
            run.checkServed("without the centre");
            report.step("Restart every agent, one by one");
            for (NodePlan node : run.scenario().shape.nodes()) {
                run.faults().kill(DrillRun.part(node, "agent"));
                run.faults().start(DrillRun.part(node, "agent"));
            }
            unbroken(run, traffic, "after the agents' restarts");
            run.checkServed("with restarted agents");
            report.step("Kill every engine, one by one; each is started again at once");
            for (NodePlan node : run.scenario().shape.nodes()) {
                run.faults().kill(DrillRun.part(node, "engine"));
                run.faults().start(DrillRun.part(node, "engine"));
                TimeUnit.SECONDS.sleep(2);
                unbroken(run, traffic, "after the restart of " + node.name() + "'s engine");
            }
            report.figure("datagrams_longest_gap_ms", traffic.datagramsGapMs());
            report.figure("datagrams_lost", traffic.datagramsLost());
            run.checkServed("with restarted engines");
            report.step("Start the centre again");
            for (String part : DrillRun.CENTRE.reversed()) {
                run.faults().start(part);
            }
            run.scenario()
                    .observe(run.scenario()
                            .balancer
                            .weigh(run.scenario().shape.backends(1).getFirst().name(), 90));
            unbroken(run, traffic, "after the centre's return and a change");
        }
    }

    private static void unbroken(DrillRun run, DrillRun.Traffic traffic, String when) throws IOException {
        int broken = traffic.broken();
        run.report().check("no connection broke " + when, broken == 0, broken + " of " + traffic.connections());
    }
}
