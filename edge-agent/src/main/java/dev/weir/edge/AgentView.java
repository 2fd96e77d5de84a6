// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge;

import dev.weir.edge.health.HealthChecks;
import dev.weir.edge.metrics.EngineFigures;
import dev.weir.edge.metrics.MetricsCollector;
import dev.weir.edge.reconcile.ActualState;
import dev.weir.edge.report.WatermarkReporter;
import dev.weir.edge.stream.RecordBook;
import dev.weir.messages.v1.GetStatusReply;
import org.jspecify.annotations.Nullable;

/** Figures of one moment for the agent's own pages. */
public record AgentView(
        boolean engineConnected,
        boolean nodeConfigured,
        int keysKnown,
        int loadBalancersApplied,
        int loadBalancersRejected,
        int vipsAnnounced,
        int membersUnhealthy,
        int membersFlapping,
        int memberRemovalsHeld,
        long memberRemovalsHeldTotal,
        boolean sweepHeld,
        long watermarksSent,
        int metricsUnconfirmed,
        EngineFigures engine) {

    static AgentView starting() {
        return new AgentView(false, false, 0, 0, 0, 0, 0, 0, 0, 0, false, 0, 0, EngineFigures.none());
    }

    static AgentView of(
            RecordBook book,
            @Nullable ActualState actual,
            boolean engineConnected,
            boolean sweepHeld,
            HealthChecks checks,
            WatermarkReporter watermarks,
            MetricsCollector metrics,
            GetStatusReply status) {
        return new AgentView(
                engineConnected,
                book.node() != null,
                book.keys().size(),
                actual == null ? 0 : actual.applied().size(),
                actual == null ? 0 : actual.rejections().size(),
                actual == null ? 0 : actual.announcedVips().size(),
                checks.unhealthyCount(),
                checks.flappingCount(),
                checks.heldCount(),
                checks.removalsHeldTotal(),
                sweepHeld,
                watermarks.sent(),
                metrics.unconfirmed(),
                new EngineFigures(status, metrics.drops()));
    }
}
