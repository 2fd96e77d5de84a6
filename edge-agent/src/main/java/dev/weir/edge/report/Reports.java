// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.report;

import dev.weir.messages.v1.HealthReport;
import dev.weir.messages.v1.MetricsReport;
import dev.weir.messages.v1.NodeWatermark;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Where the node's reports go. No call blocks; while the centre is away, reports get lost but for metrics. */
public interface Reports {
    void watermark(NodeWatermark watermark);

    /** @param report null: the load balancer is no longer on this node */
    void health(String loadBalancerId, @Nullable HealthReport report);

    /** @param done told whether the centre has it; on any thread */
    void metrics(MetricsReport report, Consumer<Boolean> done);

    /** For a node that stands alone. */
    static Reports none() {
        return new Reports() {
            @Override
            public void watermark(NodeWatermark watermark) {}

            @Override
            public void health(String loadBalancerId, @Nullable HealthReport report) {}

            @Override
            public void metrics(MetricsReport report, Consumer<Boolean> done) {
                done.accept(true);
            }
        };
    }
}
