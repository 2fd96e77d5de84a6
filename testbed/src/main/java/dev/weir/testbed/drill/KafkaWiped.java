// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.drill;

import dev.weir.testbed.scenario.Report;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** Kafka loses every record and is filled again from PostgreSQL: no node removes anything meanwhile. */
final class KafkaWiped implements Drill {
    @Override
    public String name() {
        return "kafka-wiped";
    }

    @Override
    public void run(DrillRun run) throws IOException, InterruptedException {
        Report report = run.report();
        String backend = run.scenario().shape.backends(1).getFirst().name();
        try (DrillRun.Traffic traffic = run.traffic()) {
            report.step("Kill Kafka and delete its data");
            run.faults().kill("kafka");
            delete(run.stack().kafkaData());
            report.step("Change a weight while it is away, then start it empty");
            long generation = run.scenario().balancer.weigh(backend, 80);
            run.faults().start("kafka");
            run.scenario().observe(generation);
            run.scenario().observe(run.scenario().balancer.weigh(backend, 70));
            TimeUnit.SECONDS.sleep(5);
            int broken = traffic.broken();
            report.check("no connection broke", broken == 0, broken + " of " + traffic.connections());
            run.checkServed("from the rebuilt topics");
        }
    }

    private static void delete(Path directory) throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
