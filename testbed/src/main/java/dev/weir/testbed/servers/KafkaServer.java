// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.servers;

import dev.weir.testbed.Part;
import dev.weir.testbed.kafka.BrokerClassPath;
import dev.weir.testbed.pki.Certificate;
import dev.weir.testbed.pki.Pki;
import dev.weir.testbed.process.ManagedProcess;
import dev.weir.testbed.process.ProcessSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A real Kafka broker that is its own controller, where every client needs a certificate.
 *
 * <p>A certificate's common name is the principal: {@code CN=node_1} is {@code User:node_1}. {@code User:provisioner} is a super user; any
 * other may do what ACLs allow, which is nothing at first.
 */
public final class KafkaServer implements Part {
    private static final Duration LONGEST_START = Duration.ofSeconds(60);
    private static final String OWN_NAME = "broker";

    private final Place place;
    private final Settings settings;
    private final ManagedProcess process;
    private final Path propertiesFile;
    private final Path readyFile;

    /**
     * @param address        where clients reach it, an IPv4 address
     * @param port           the clients' port
     * @param controllerPort a port on the loopback address of the same network namespace
     * @param namespace      the network namespace to run in; empty for this process's own
     * @param pki            issues the broker's certificate and is trusted by it
     * @param jvmOptions     more options for the broker's JVM
     */
    public record Settings(
            String address,
            int port,
            int controllerPort,
            Optional<String> namespace,
            Pki pki,
            List<String> jvmOptions) {}

    public KafkaServer(Place place, Settings settings) throws IOException {
        this.place = place;
        this.settings = settings;
        this.propertiesFile = place.data().resolve("server.properties");
        this.readyFile = place.data().resolve("ready");
        List<String> command = new ArrayList<>();
        settings.namespace().ifPresent(name -> command.addAll(List.of("ip", "netns", "exec", name)));
        command.addAll(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow"));
        command.addAll(settings.jvmOptions());
        command.addAll(List.of(
                "-cp",
                BrokerClassPath.get(),
                "dev.weir.testbed.kafka.BrokerMain",
                propertiesFile.toString(),
                readyFile.toString()));
        this.process = new ManagedProcess(new ProcessSpec(
                name(), command, place.environment(), place.data(), place.log(), place.pidFile(), false));
    }

    @Override
    public String name() {
        return "kafka";
    }

    @Override
    public Path logFile() {
        return place.log();
    }

    /** For {@code bootstrap.servers}. */
    public String bootstrap() {
        return settings.address() + ":" + settings.port();
    }

    public Pki pki() {
        return settings.pki();
    }

    /** Settings with which any version of the Java client connects as {@code User:<principal>}. */
    public Map<String, Object> clientProperties(String principal) throws IOException {
        Certificate certificate = settings.pki().issue(principal, List.of());
        return Map.of(
                "bootstrap.servers", bootstrap(),
                "security.protocol", "SSL",
                "ssl.keystore.type", "PEM",
                "ssl.keystore.key", certificate.keyPem(),
                "ssl.keystore.certificate.chain", certificate.certificatePem(),
                "ssl.truststore.type", "PEM",
                "ssl.truststore.certificates", certificate.authorityPem());
    }

    @Override
    public void start() throws IOException, InterruptedException {
        if (up()) {
            return;
        }
        Files.createDirectories(place.data());
        Files.deleteIfExists(readyFile);
        Files.writeString(propertiesFile, properties());
        process.start();
        Wait.untilReady(process, LONGEST_START, this::up);
    }

    @Override
    public void stop() throws IOException, InterruptedException {
        process.stop(Duration.ofSeconds(20));
    }

    @Override
    public void kill() throws IOException, InterruptedException {
        process.kill();
    }

    @Override
    public void crash() throws IOException, InterruptedException {
        kill();
        start();
    }

    @Override
    public boolean up() {
        // The broker writes its process id when it serves, so a file of an earlier process says nothing.
        try {
            String ready = Files.readString(readyFile).strip();
            return process.pid().map(pid -> ready.equals(Long.toString(pid))).orElse(false);
        } catch (NoSuchFileException _) {
            return false;
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private String properties() throws IOException {
        Certificate own = settings.pki().issue(OWN_NAME, List.of(settings.address(), "127.0.0.1"));
        return String.join(
                "\n",
                "process.roles=broker,controller",
                "node.id=1",
                "controller.quorum.voters=1@127.0.0.1:" + settings.controllerPort(),
                "listeners=CLIENTS://" + bootstrap() + ",CONTROLLER://127.0.0.1:" + settings.controllerPort(),
                "advertised.listeners=CLIENTS://" + bootstrap(),
                "inter.broker.listener.name=CLIENTS",
                "controller.listener.names=CONTROLLER",
                "listener.security.protocol.map=CLIENTS:SSL,CONTROLLER:SSL",
                "ssl.client.auth=required",
                "ssl.keystore.type=PEM",
                "ssl.keystore.location=" + own.keyStore(),
                "ssl.truststore.type=PEM",
                "ssl.truststore.location=" + own.authority(),
                "ssl.principal.mapping.rules=RULE:^CN=([^,]+).*$/$1/",
                "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
                "super.users=User:" + OWN_NAME + ";User:provisioner",
                "allow.everyone.if.no.acl.found=false",
                "auto.create.topics.enable=false",
                "log.dirs=" + place.data().resolve("log"),
                // A single broker can't keep more than one copy.
                "offsets.topic.replication.factor=1",
                "offsets.topic.num.partitions=4",
                "transaction.state.log.replication.factor=1",
                "transaction.state.log.min.isr=1",
                "transaction.state.log.num.partitions=4",
                "share.coordinator.state.topic.replication.factor=1",
                "share.coordinator.state.topic.min.isr=1",
                "group.initial.rebalance.delay.ms=0",
                "num.network.threads=2",
                "num.io.threads=4",
                "log.cleaner.dedupe.buffer.size=16777216",
                // A record goes out as soon as it is there; the broker answers well within a change's time budget.
                "socket.send.buffer.bytes=-1",
                "socket.receive.buffer.bytes=-1",
                "");
    }
}
