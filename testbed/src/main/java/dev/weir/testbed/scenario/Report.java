// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.scenario;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import tools.jackson.databind.json.JsonMapper;

/** What a scenario saw and measured, told while it goes and once more at the end. */
public final class Report {
    /**
     * One thing that has to be as it should.
     *
     * @param name   what should be
     * @param ok     whether it was
     * @param detail what was seen
     */
    public record Check(String name, boolean ok, String detail) {}

    private final PrintStream out;
    private final boolean json;
    private final List<Check> checks = new ArrayList<>();
    private final Map<String, Object> figures = new LinkedHashMap<>();

    public Report(PrintStream out, boolean json) {
        this.out = out;
        this.json = json;
    }

    public void step(String text) {
        say("\n" + text);
    }

    public void say(String text) {
        if (!json) {
            out.println(text);
        }
    }

    public boolean check(String name, boolean ok, String detail) {
        checks.add(new Check(name, ok, detail));
        say((ok ? "  ok      " : "  FAILED  ") + name + ": " + detail);
        return ok;
    }

    /** Its unit is the name's last word. */
    public void figure(String name, double value) {
        figures.put(name, Math.round(value * 10) / 10.0);
    }

    public void figure(String name, long value) {
        figures.put(name, value);
    }

    public void figure(String name, Object value) {
        figures.put(name, value);
    }

    public boolean ok() {
        return !checks.isEmpty() && checks.stream().allMatch(Check::ok);
    }

    /** {@code ok}, {@code figures} and {@code checks}. */
    public Map<String, Object> asMap() {
        Map<String, Object> all = new LinkedHashMap<>();
        all.put("ok", ok());
        all.put("figures", figures);
        all.put("checks", checks);
        return all;
    }

    public void end() {
        if (json) {
            out.println(JsonMapper.shared().writeValueAsString(asMap()));
            return;
        }
        out.println("\nFigures");
        figures.forEach((name, value) -> out.printf(Locale.ROOT, "  %-44s %s%n", name, value));
        long failed = checks.stream().filter(check -> !check.ok()).count();
        out.printf(Locale.ROOT, "%n%d checks, %d failed%n", checks.size(), failed);
        checks.stream()
                .filter(check -> !check.ok())
                .forEach(check -> out.println("  FAILED  " + check.name() + ": " + check.detail()));
    }
}
