// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.demo;

import dev.weir.testbed.scenario.Faults;
import dev.weir.testbed.scenario.Report;
import dev.weir.testbed.scenario.Scenario;
import dev.weir.testbed.scenario.WebAndEcho;
import dev.weir.testbed.topology.NodePlan;
import dev.weir.testbed.traffic.Client;
import dev.weir.testbed.traffic.HeldResult;
import dev.weir.testbed.traffic.HttpResult;
import java.io.IOException;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/** What happens to traffic when parts of a node die. */
final class DemoFaults {
    private static final int LOAD_PER_SECOND = 40;

    private final Scenario run;
    private final Report report;
    private final Faults faults;

    DemoFaults(Scenario run, Faults faults) {
        this.run = run;
        this.report = run.report;
        this.faults = faults;
    }

    void agentDeath(Client.Running<HeldResult> held) throws IOException, InterruptedException {
        NodePlan node = run.shape.nodes(1).getFirst();
        String agent = node.name() + "-agent";
        report.step("Kill " + agent);
        faults.kill(agent);
        HttpResult http = run.fetch(run.clients.getFirst(), Scenario.REQUESTS);
        report.check(
                "all requests are answered without the agent",
                http.failed() == 0,
                http.ok() + " of " + http.requests() + " " + http.errors());
        run.unbroken("agent death", held.look());
        report.check(
                "its node is still announced",
                run.nextHops().contains(node.dataAddress()),
                run.nextHops().toString());
        faults.start(agent);
    }

    void engineDeath(Client.Running<HeldResult> held) throws IOException, InterruptedException {
        NodePlan node = run.shape.nodes(1).getFirst();
        String engine = node.name() + "-engine";
        report.step("Kill " + engine + " under " + LOAD_PER_SECOND + " new connections per second");
        HeldResult before = held.look();
        try (Client.Running<HttpResult> load =
                run.clients.getFirst().load(run.balancer.address(), WebAndEcho.HTTP_PORT, LOAD_PER_SECOND)) {
            TimeUnit.SECONDS.sleep(1);
            long killed = System.nanoTime();
            faults.kill(engine);
            run.awaitNextHop(node, false);
            double withdrawnMs = Scenario.millisSince(killed);
            report.figure("engine_death_withdrawn_after_ms", withdrawnMs);
            report.check(
                    "its routes are withdrawn after the hold time",
                    withdrawnMs < 3000,
                    "after " + Scenario.ms(withdrawnMs) + ", left: " + run.nextHops());
            TimeUnit.SECONDS.sleep(5);
            long started = System.nanoTime();
            faults.start(engine);
            run.awaitNextHop(node, true);
            report.figure("engine_back_announced_after_ms", Scenario.millisSince(started));
            report.say("  started again, announced after " + Scenario.ms(Scenario.millisSince(started)));
            TimeUnit.SECONDS.sleep(2);
            HttpResult result = load.end();
            run.count(result);
            double share = 100.0 * result.failed() / Math.max(1, result.requests());
            report.figure("engine_death_requests_failed", result.failed());
            report.figure("engine_death_requests", result.requests());
            report.figure("engine_death_requests_failed_percent", share);
            report.say(String.format(
                    Locale.ROOT,
                    "  new connections: %d of %d failed (%.1f %%) %s",
                    result.failed(),
                    result.requests(),
                    share,
                    result.errors()));
        }
        HeldResult after = held.look();
        int broken = after.broken() - before.broken();
        report.figure("engine_death_held_broken", broken);
        report.figure("engine_death_held_broken_percent", 100.0 * broken / Math.max(1, after.connections()));
        report.figure("engine_death_held_longest_silence_ms", after.longestGapMs());
        report.say("  open connections: " + broken + " of " + after.connections() + " broken " + after.errors()
                + ", longest silence " + Scenario.ms(after.longestGapMs()));
        HttpResult http = run.fetch(run.clients.getFirst(), Scenario.REQUESTS);
        report.check(
                "all requests are answered once it is over",
                http.failed() == 0,
                http.ok() + " of " + http.requests() + " " + http.errors());
    }
}
