// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.drill;

import dev.weir.testbed.scenario.Report;
import dev.weir.testbed.scenario.Scenario;
import dev.weir.testbed.scenario.WebAndEcho;
import dev.weir.testbed.topology.BackendPlan;
import dev.weir.testbed.topology.NodePlan;
import dev.weir.testbed.traffic.Client;
import dev.weir.testbed.traffic.HttpResult;
import java.io.IOException;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.StreamSupport;
import tools.jackson.databind.JsonNode;

/**
 * A change that makes every member wrong goes out in waves: it is taken back by itself, and only one PoP saw it. Then a
 * good one is stopped in mid-rollout, and nodes that boot meanwhile run the one of the two that is meant for their PoP.
 */
final class StagedChange implements Drill {
    /** Nobody listens there. */
    private static final int WRONG_PORT = 9;

    private static final long LONGEST_S = 60;

    @Override
    public String name() {
        return "staged-change";
    }

    @Override
    public void run(DrillRun run) throws IOException, InterruptedException {
        run.scenario().balancer.stageChanges();
        badChange(run);
        bootInMidRollout(run);
    }

    private static void badChange(DrillRun run) throws IOException, InterruptedException {
        Report report = run.report();
        WebAndEcho balancer = run.scenario().balancer;
        Client elsewhere = run.scenario().clients.getLast();
        report.step("Send every member to a port where nobody listens");
        try (Client.Running<HttpResult> load =
                elsewhere.load(run.vip(), WebAndEcho.HTTP_PORT, DrillRun.LOAD_PER_SECOND)) {
            long begun = System.nanoTime();
            long bad = balancer.replaceHttpMembers(run.scenario().shape, WRONG_PORT);
            Set<String> saw = new TreeSet<>();
            JsonNode rollout = await(run, "reverted", saw, bad);
            report.figure("reverted_after_ms", Scenario.millisSince(begun));
            report.say("  " + rollout.at("/staged/reason").asString());
            report.check("only one PoP saw the change", saw.size() == 1, saw.toString());
            report.check(
                    "the spec is left alone",
                    balancer.generation() == bad && rollout.path("generation").asLong() == bad,
                    "generation " + balancer.generation());
            awaitAll(run, rollout.at("/staged/stable_generation").asLong());
            HttpResult seen = load.end();
            report.check(
                    "no connection failed in a PoP that was not in the wave",
                    seen.failed() == 0,
                    seen.failed() + " of " + seen.requests() + " " + seen.errors());
        }
        run.checkServed("after the change was taken back");
    }

    private static void bootInMidRollout(DrillRun run) throws IOException, InterruptedException {
        Report report = run.report();
        WebAndEcho balancer = run.scenario().balancer;
        report.step("Stop a good change at its first PoP, and boot a node of each PoP");
        long stable = balancer.rollout().at("/staged/stable_generation").asLong();
        long good = balancer.replaceHttpMembers(run.scenario().shape, BackendPlan.OTHER_HTTP_PORT);
        Set<String> saw = new TreeSet<>();
        awaitSaw(run, saw, good);
        balancer.settleRollout("stop");
        List<NodePlan> booted = List.of(
                run.scenario().shape.nodes(1).getFirst(),
                run.scenario().shape.nodes(run.scenario().shape.pops()).getFirst());
        for (NodePlan node : booted) {
            for (String program : List.of("agent", "engine")) {
                run.faults().kill(DrillRun.part(node, program));
            }
        }
        for (NodePlan node : booted) {
            for (String program : List.of("engine", "agent")) {
                run.faults().start(DrillRun.part(node, program));
            }
        }
        TimeUnit.SECONDS.sleep(5);
        JsonNode rollout = balancer.rollout();
        for (JsonNode node : rollout.path("nodes")) {
            long wanted = saw.contains(node.path("pop_name").asString()) ? good : stable;
            report.check(
                    node.path("node_name").asString() + " runs generation " + wanted,
                    node.path("applied_generation").asLong() == wanted,
                    node.toString());
        }
        run.checkServed("with two generations at once");
        balancer.settleRollout("promote");
        run.scenario().observe(good);
    }

    /** Collects the PoPs that ran the generation until the rollout is in the state. */
    private static JsonNode await(DrillRun run, String state, Set<String> saw, long generation)
            throws IOException, InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(LONGEST_S);
        while (true) {
            JsonNode rollout = run.scenario().balancer.rollout();
            collect(rollout, saw, generation);
            if (rollout.at("/staged/state").asString().equals(state)) {
                return rollout;
            }
            if (System.nanoTime() > deadline) {
                throw new IOException("the rollout is not " + state + " after " + LONGEST_S + " s: " + rollout);
            }
            TimeUnit.MILLISECONDS.sleep(50);
        }
    }

    private static void awaitSaw(DrillRun run, Set<String> saw, long generation)
            throws IOException, InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(LONGEST_S);
        while (saw.isEmpty()) {
            collect(run.scenario().balancer.rollout(), saw, generation);
            if (System.nanoTime() > deadline) {
                throw new IOException("no PoP runs generation " + generation + " after " + LONGEST_S + " s");
            }
            TimeUnit.MILLISECONDS.sleep(50);
        }
    }

    private static void awaitAll(DrillRun run, long generation) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(LONGEST_S);
        while (!StreamSupport.stream(
                        run.scenario().balancer.rollout().path("nodes").spliterator(), false)
                .allMatch(node -> node.path("applied_generation").asLong() == generation)) {
            if (System.nanoTime() > deadline) {
                throw new IOException("not all nodes are back at generation " + generation);
            }
            TimeUnit.MILLISECONDS.sleep(50);
        }
    }

    private static void collect(JsonNode rollout, Set<String> saw, long generation) {
        for (JsonNode node : rollout.path("nodes")) {
            if (node.path("applied_generation").asLong() >= generation) {
                saw.add(node.path("pop_name").asString());
            }
        }
    }
}
