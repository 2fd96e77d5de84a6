// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.drill;

import dev.weir.testbed.scenario.ApiException;
import dev.weir.testbed.scenario.ProjectApi;
import dev.weir.testbed.scenario.Report;
import dev.weir.testbed.scenario.WebAndEcho;
import dev.weir.testbed.topology.BackendPlan;
import dev.weir.testbed.topology.NodePlan;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/** Every part is killed once while twenty changes a second come in: none is lost, none applied twice. */
final class Churn implements Drill {
    private static final int CHANGES_PER_SECOND = 20;

    @Override
    public String name() {
        return "churn";
    }

    @Override
    public void run(DrillRun run) throws IOException, InterruptedException {
        Report report = run.report();
        WebAndEcho balancer = run.scenario().balancer;
        long before = balancer.generation();
        List<Writer> writers = new ArrayList<>();
        AtomicBoolean over = new AtomicBoolean();
        List<BackendPlan> backends = run.scenario().shape.backends();
        try (DrillRun.Traffic traffic = run.traffic()) {
            for (BackendPlan backend : backends) {
                writers.add(new Writer(run, backend.name(), over, 1000 * backends.size() / CHANGES_PER_SECOND));
            }
            writers.forEach(writer -> writer.thread.start());
            try {
                for (String part : parts(run)) {
                    report.step("Kill " + part);
                    run.faults().kill(part);
                    TimeUnit.SECONDS.sleep(1);
                    run.faults().start(part);
                    TimeUnit.SECONDS.sleep(1);
                }
            } finally {
                over.set(true);
                for (Writer writer : writers) {
                    writer.thread.join();
                }
            }
            int accepted = writers.stream().mapToInt(writer -> writer.accepted).sum();
            int unknown = writers.stream().mapToInt(writer -> writer.unknown).sum();
            report.figure("changes_accepted", accepted);
            report.figure("changes_unanswered", unknown);
            long after = balancer.generation();
            report.check(
                    "each accepted change made one generation",
                    after - before >= accepted && after - before <= accepted + unknown,
                    (after - before) + " generations, " + accepted + " accepted, " + unknown + " unanswered");
            run.scenario().observe(after);
            var totals = balancer.rollout().path("totals");
            report.check(
                    "every node runs the last one",
                    totals.path("applied").asInt()
                            == run.scenario().shape.nodes().size(),
                    totals.toString());
            for (Writer writer : writers) {
                int weight = balancer.weight(writer.backend);
                report.check(
                        writer.backend + " has the weight that was written last",
                        weight == writer.last || writer.lastUnknown,
                        weight + ", written " + writer.last);
            }
            int broken = traffic.broken();
            report.figure("held", traffic.connections());
            report.check("no connection broke", broken == 0, broken + " of " + traffic.connections());
            run.checkServed("after it all");
        }
    }

    private static List<String> parts(DrillRun run) {
        List<String> parts = new ArrayList<>(DrillRun.CENTRE);
        for (NodePlan node : run.scenario().shape.nodes(1)) {
            parts.add(DrillRun.part(node, "agent"));
            parts.add(DrillRun.part(node, "engine"));
        }
        return parts;
    }

    /** Writes one member's weight again and again, and remembers what was accepted. */
    private static final class Writer {
        private final DrillRun run;
        private final String backend;
        private final AtomicBoolean over;
        private final long everyMs;
        private final Thread thread = Thread.ofPlatform().unstarted(this::write);
        // Read after the thread's end.
        private int accepted;
        private int unknown;
        private int last = 100;
        private boolean lastUnknown;

        private Writer(DrillRun run, String backend, AtomicBoolean over, long everyMs) {
            this.run = run;
            this.backend = backend;
            this.over = over;
            this.everyMs = everyMs;
        }

        private void write() {
            try (ProjectApi api = new ProjectApi(run.stack().access())) {
                for (int i = 0; !over.get(); i++) {
                    int weight = 100 + i % 100;
                    try {
                        run.scenario().balancer.weigh(api, backend, weight);
                        accepted++;
                        last = weight;
                        lastUnknown = false;
                    } catch (ApiException e) {
                        // Refused for now: PostgreSQL is away, and nothing was written.
                        if (e.status() < 500) {
                            throw new IllegalStateException("a right change was refused", e);
                        }
                    } catch (IOException e) {
                        // Whether it was committed before the answer was lost, nobody here can say.
                        unknown++;
                        lastUnknown = true;
                    }
                    TimeUnit.MILLISECONDS.sleep(everyMs);
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
