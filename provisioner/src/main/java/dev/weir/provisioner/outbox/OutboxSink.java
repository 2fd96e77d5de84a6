// SPDX-License-Identifier: Apache-2.0
package dev.weir.provisioner.outbox;

import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Takes keys that may need publishing. Offering a key again before it is handled changes nothing. */
public interface OutboxSink {
    boolean takes(OutboxKind kind);

    /** A key of a partition that this instance does not hold is passed over: its holder finds it too. A null project: it has none, or that is not known. */
    void offer(OutboxKind kind, UUID key, @Nullable UUID projectId);
}
