// SPDX-License-Identifier: Apache-2.0
package dev.weir.bench.api;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Rows of the result file; each is told when it is known. */
final class Results {
    private record Row(
            String name,
            String metric,
            double value,
            String unit,
            @Nullable String baseline,
            @Nullable Double ratio) {
        String json() {
            return String.format(
                    Locale.ROOT,
                    "{\"case\": \"%s\", \"metric\": \"%s\", \"value\": %.4f, \"unit\": \"%s\", \"baseline\": %s, \"ratio\": %s}",
                    name,
                    metric,
                    value,
                    unit,
                    baseline == null ? "null" : "\"" + baseline + "\"",
                    ratio == null ? "null" : String.format(Locale.ROOT, "%.4f", ratio));
        }
    }

    private final List<Row> rows = new ArrayList<>();

    void add(String name, String metric, double value, String unit) {
        add(new Row(name, metric, value, unit, null, null));
    }

    /** @param reference the same metric of the baseline, in this run */
    void add(String name, String metric, double value, String unit, String baseline, double reference) {
        add(new Row(name, metric, value, unit, baseline, reference == 0 ? null : value / reference));
    }

    private void add(Row row) {
        rows.add(row);
        System.out.printf(
                Locale.ROOT,
                "%-26s %-12s %10.2f %-6s %s%n",
                row.name(),
                row.metric(),
                row.value(),
                row.unit(),
                row.ratio() == null ? "" : String.format(Locale.ROOT, "%.2f x %s", row.ratio(), row.baseline()));
    }

    void write(Path file) throws IOException {
        Files.writeString(file, rows.stream().map(Row::json).collect(Collectors.joining(",\n", "[\n", "\n]\n")));
    }
}
