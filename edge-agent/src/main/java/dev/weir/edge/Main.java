// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge;

import dev.weir.edge.announce.BirdAnnouncer;
import dev.weir.edge.announce.GuardClient;
import dev.weir.edge.engine.EngineLink;
import dev.weir.edge.flow.FlowReader;
import dev.weir.edge.flow.KafkaFlows;
import dev.weir.edge.identity.CertificateKeeper;
import dev.weir.edge.identity.Enrolment;
import dev.weir.edge.identity.EnrolmentSettings;
import dev.weir.edge.metrics.Pages;
import dev.weir.edge.report.KafkaReports;
import dev.weir.edge.report.Reports;
import dev.weir.edge.stream.DesiredFileWatch;
import dev.weir.edge.stream.KafkaAccess;
import dev.weir.edge.stream.KafkaSource;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Starts the agent: {@code java -jar edge-agent.jar --config FILE}. Ends on SIGTERM; what it set up stays.
 *
 * <p>{@code java -jar edge-agent.jar enroll --config FILE --token-file TOKEN} gets the node's certificate and ends.
 */
public final class Main {
    private static final Logger log = LoggerFactory.getLogger(Main.class);
    private static final Duration ENGINE_TIMEOUT = Duration.ofSeconds(10);
    private static final Duration FLOWS_RETRY = Duration.ofSeconds(1);
    private static final Duration GUARD_TIMEOUT = Duration.ofSeconds(3);

    private Main() {}

    public static void main(String[] args) {
        try {
            if (args.length == 2 && args[0].equals("--config")) {
                Path file = Path.of(args[1]);
                run(AgentConfig.load(file), EnrolmentSettings.load(file));
            } else if (args.length == 5
                    && args[0].equals("enroll")
                    && args[1].equals("--config")
                    && args[3].equals("--token-file")) {
                enroll(Path.of(args[2]), Path.of(args[4]));
            } else {
                System.err.println("usage: java -jar edge-agent.jar [enroll] --config FILE [--token-file TOKEN]");
                System.exit(2);
            }
        } catch (IOException e) {
            System.err.println("edge-agent: " + e.getMessage());
            System.exit(1);
        }
    }

    private static void enroll(Path config, Path tokenFile) throws IOException {
        EnrolmentSettings settings =
                EnrolmentSettings.load(config).orElseThrow(() -> new IOException("the setting enrol.api is missing"));
        try {
            new Enrolment(settings).enrol(tokenFile);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    private static void run(AgentConfig config, Optional<EnrolmentSettings> enrolment) throws IOException {
        Files.createDirectories(config.stateDir());
        ExecutorService disk = single("disk");
        BirdAnnouncer announcer = new BirdAnnouncer(
                config.birdDir(), new GuardClient(config.guardSocket(), GUARD_TIMEOUT), single("guard"));
        // Before Kafka's clients, which may have to wait for the certificate.
        enrolment.ifPresent(settings -> new CertificateKeeper(
                        new Enrolment(settings), Clock.systemUTC(), RandomGenerator.getDefault())
                .start());
        AgentConfig.Kafka kafka = config.kafka();
        KafkaReports kafkaReports =
                kafka == null ? null : new KafkaReports(new KafkaAccess(kafka, config.nodeId()), config.nodeId());
        Agent agent = new Agent(
                config,
                config.desiredFile() != null,
                AgentTime.system(),
                RandomGenerator.getDefault(),
                announcer,
                kafkaReports == null ? Reports.none() : kafkaReports,
                disk);
        EngineLink link = new EngineLink(config.engineSocket(), ENGINE_TIMEOUT, agent);
        link.start();
        Path desired = config.desiredFile();
        if (desired != null) {
            new DesiredFileWatch(desired, file -> agent.post(() -> agent.replaceAll(file))).start();
        }
        if (kafka != null && kafkaReports != null) {
            kafkaReports.start();
            new KafkaSource(
                            new KafkaAccess(kafka, config.nodeId()),
                            RandomGenerator.getDefault(),
                            new AgentFeed(agent, kafka.tombstoneRetention()))
                    .start();
        }
        FlowReader flows = null;
        if (kafka != null && config.publishFlows()) {
            flows = new FlowReader(
                    config.engineSocket(),
                    config.nodeId(),
                    new KafkaFlows(new KafkaAccess(kafka, config.nodeId())),
                    FLOWS_RETRY);
            flows.start();
        }
        if (config.httpPort() != 0) {
            Pages.serve(new InetSocketAddress(config.httpAddress(), config.httpPort()), agent::view, flows);
        }
        Runtime.getRuntime().addShutdownHook(new Thread(() -> log.info("stopping; what runs stays")));
        log.atInfo()
                .addKeyValue("node", config.nodeId())
                .addKeyValue("pop", config.popId())
                .addKeyValue("version", AgentVersion.get())
                .log("agent started");
        agent.run();
    }

    private static ExecutorService single(String name) {
        return Executors.newSingleThreadExecutor(
                Thread.ofPlatform().daemon().name(name).factory());
    }
}
