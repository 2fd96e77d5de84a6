// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge;

import dev.weir.edge.announce.Announcer;
import dev.weir.edge.engine.EngineLink;
import dev.weir.edge.flow.FlowReader;
import dev.weir.edge.flow.KafkaFlows;
import dev.weir.edge.health.HealthLimits;
import dev.weir.edge.report.KafkaReports;
import dev.weir.edge.stream.KafkaAccess;
import dev.weir.edge.stream.KafkaSource;
import dev.weir.testbed.pki.Certificate;
import dev.weir.testbed.servers.KafkaServer;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.random.RandomGenerator;

/** A whole agent with a real Kafka and a fake engine behind a real socket; closing it is its death. */
final class RunningAgent implements AutoCloseable {
    private final KafkaReports reports;
    private final KafkaSource source;
    private final EngineLink link;
    private final Agent agent;
    private final FlowReader flows;
    private final Thread thread;
    private final ExecutorService disk = Executors.newSingleThreadExecutor();

    RunningAgent(KafkaServer kafka, Path directory, Announcer announcer) throws IOException {
        Certificate certificate = kafka.pki().issue(Records.NODE, List.of());
        AgentConfig.Kafka settings = new AgentConfig.Kafka(
                kafka.bootstrap(),
                certificate.authority(),
                certificate.certificate(),
                certificate.key(),
                Duration.ofHours(24));
        AgentConfig config = new AgentConfig(
                Records.NODE,
                Records.POP,
                directory,
                directory.resolve("engine.sock"),
                directory.resolve("guard.sock"),
                directory,
                null,
                settings,
                "127.0.0.1",
                0,
                true,
                HealthLimits.defaults());
        KafkaAccess access = new KafkaAccess(settings, Records.NODE);
        reports = new KafkaReports(access, Records.NODE);
        agent = new Agent(config, false, AgentTime.system(), RandomGenerator.getDefault(), announcer, reports, disk);
        link = new EngineLink(config.engineSocket(), Duration.ofSeconds(5), agent);
        source = new KafkaSource(
                access, RandomGenerator.getDefault(), new AgentFeed(agent, settings.tombstoneRetention()));
        flows = new FlowReader(config.engineSocket(), Records.NODE, new KafkaFlows(access), Duration.ofMillis(50));
        thread = Thread.ofPlatform().start(agent::run);
        link.start();
        reports.start();
        source.start();
        flows.start();
    }

    AgentView view() {
        return agent.view();
    }

    @Override
    public void close() throws InterruptedException, IOException {
        flows.close();
        source.close();
        reports.close();
        link.close();
        agent.stop();
        thread.join();
        disk.shutdown();
    }
}
