// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.edge.engine.EngineLink;
import dev.weir.edge.engine.RealEngine;
import dev.weir.edge.health.HealthLimits;
import dev.weir.edge.report.Reports;
import dev.weir.edge.stream.DesiredFile;
import dev.weir.messages.v1.LoadBalancerConfig;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/** All members of a load balancer fail at once, as a real engine's probes find them. */
@EnabledIfSystemProperty(
        named = "weir.clone",
        matches = ".+",
        disabledReason = "needs the built engine; ./weir test builds it and names the clone")
class MassFailureIT {
    private static final Duration WINDOW = Duration.ofSeconds(2);
    private static final HealthLimits LIMITS =
            new HealthLimits(50, WINDOW, 3, Duration.ofSeconds(10), Duration.ofMinutes(5), Duration.ofMinutes(10));

    @TempDir
    Path directory;

    private static LoadBalancerConfig fourMembersThatDoNotAnswer() {
        LoadBalancerConfig.Builder config = Records.loadBalancer("lb_1", "203.0.113.10", 1).toBuilder();
        config.getPoolsBuilder(0)
                .addMembers(Records.member("mbr_3", "10.1.20.13"))
                .addMembers(Records.member("mbr_4", "10.1.20.14"))
                .getHealthMonitorBuilder()
                .setIntervalMs(100)
                .setTimeoutMs(100)
                .setFall(2);
        return config.build();
    }

    @Test
    void membersLeaveNoFasterThanTheLimitButLeaveInTheEnd() throws Exception {
        Agent agent = new Agent(
                new AgentConfig(
                        Records.NODE,
                        Records.POP,
                        directory,
                        directory,
                        directory,
                        directory,
                        null,
                        null,
                        "127.0.0.1",
                        0,
                        false,
                        LIMITS),
                true,
                AgentTime.system(),
                new Random(5),
                new RememberingAnnouncer(),
                Reports.none(),
                Runnable::run);
        try (RealEngine engine = RealEngine.start(directory);
                EngineLink link = new EngineLink(engine.socket(), Duration.ofSeconds(5), agent)) {
            Thread thread = Thread.ofPlatform().start(agent::run);
            link.start();
            agent.post(() -> agent.replaceAll(new DesiredFile(
                    Map.of(Records.NODE, Records.nodeRecord(1, Records.node())),
                    Map.of("lb_1", Records.record(1, fourMembersThatDoNotAnswer())))));
            long firstLeft = awaitUnhealthy(agent, 2);
            assertThat(agent.view().membersUnhealthy()).isEqualTo(2);

            long allLeft = awaitUnhealthy(agent, 4);

            assertThat(Duration.ofNanos(allLeft - firstLeft))
                    .as("from the second removal to the last")
                    .isBetween(WINDOW.minusMillis(500), WINDOW.plusMillis(1_500));
            assertThat(agent.view().memberRemovalsHeldTotal()).isEqualTo(2);
            agent.stop();
            thread.join();
        }
    }

    private static long awaitUnhealthy(Agent agent, int members) throws InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
        while (agent.view().membersUnhealthy() < members) {
            assertThat(System.nanoTime()).as("members leave").isLessThan(deadline);
            Thread.sleep(5);
        }
        return System.nanoTime();
    }
}
