// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.engine;

import dev.weir.messages.v1.DrainEnded;
import dev.weir.messages.v1.ProbeResult;

/** What an engine says unasked. Called on the connection's own reader thread; must not block. */
public interface EngineEvents {
    void onProbeResult(ProbeResult result);

    void onDrainEnded(DrainEnded ended);

    /** Called once per connection, also after {@link Engine#close()}. */
    void onDisconnected(String reason);
}
