// SPDX-License-Identifier: Apache-2.0
package dev.weir.provisioner.rollout;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What the PoPs of a rollout's waves show, beside what was before or is elsewhere.
 *
 * @param sinceWave since the newest wave began
 * @param baked since all reachable nodes of the waves run the candidate; null: not yet
 * @param reachable reachable nodes of the waves
 * @param applied of these, those that run the candidate
 * @param refusal why a node refused it; null: none did
 * @param reported of {@code applied}, those that said how its members do
 * @param unhealthyBefore share of the load balancer's members, 0 to 1
 */
record WaveSignals(
        Duration sinceWave,
        @Nullable Duration baked,
        int reachable,
        int applied,
        @Nullable String refusal,
        int reported,
        Members members,
        Members membersElsewhere,
        double unhealthyBefore,
        Flows flows,
        Flows flowsBefore,
        Flows flowsElsewhere,
        Flows flowsElsewhereBefore) {

    /** Members by node that sees them. */
    record Members(int healthy, int unhealthy, int unknown) {
        double unhealthyShare() {
            return healthy + unhealthy == 0 ? 0 : (double) unhealthy / (healthy + unhealthy);
        }
    }

    /** @param seconds how long was counted */
    record Flows(long started, long ended, long reset, double seconds) {
        double resetShare() {
            return ended == 0 ? 0 : (double) reset / ended;
        }

        double startedPerSecond() {
            return seconds <= 0 ? 0 : started / seconds;
        }
    }
}
