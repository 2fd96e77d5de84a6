// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.drill;

import dev.weir.testbed.scenario.ProjectApi;
import dev.weir.testbed.scenario.Report;
import dev.weir.testbed.scenario.Scenario;
import java.io.IOException;
import java.io.PrintStream;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** All drills, and how one is run on a stack. */
public final class Drills {
    private static final List<Drill> ALL = List.of(
            new StaticStability(),
            new SuddenLoss(false),
            new SuddenLoss(true),
            new Churn(),
            new KafkaWiped(),
            new StagedChange(),
            new TwoTier());

    private Drills() {}

    /** Their names, in the order in which {@code all} runs them. */
    public static List<String> names() {
        return ALL.stream().map(Drill::name).toList();
    }

    /**
     * Runs one drill on a load balancer of its own.
     *
     * @param connections how many connections to hold
     * @return what it saw: {@code drill}, {@code ok}, {@code figures}, {@code checks}
     * @throws IllegalArgumentException if there is no drill of that name
     */
    public static Map<String, Object> run(String name, DrillStack stack, int connections, PrintStream out)
            throws InterruptedException {
        Drill drill = ALL.stream()
                .filter(each -> each.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("there is no drill " + name + "; drills: "
                        + names().stream().collect(Collectors.joining(", "))));
        Report report = new Report(out, false);
        report.say("Drill " + name);
        try (ProjectApi api = new ProjectApi(stack.access())) {
            Scenario scenario = new Scenario(stack.topology(), report, api, "drill", stack.directory());
            scenario.balancer.deleteLeftOvers();
            try {
                scenario.observe(scenario.balancer.create(scenario.shape));
                scenario.awaitServed();
                drill.run(new DrillRun(scenario, stack, connections));
            } finally {
                scenario.balancer.delete();
            }
            report.check("the drill came to its end", true, "all steps were taken");
        } catch (IOException e) {
            report.check("the drill came to its end", false, String.valueOf(e.getMessage()));
        }
        report.end();
        Map<String, Object> seen = new LinkedHashMap<>();
        seen.put("drill", name);
        seen.putAll(report.asMap());
        return seen;
    }
}
