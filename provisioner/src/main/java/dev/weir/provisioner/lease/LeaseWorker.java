// SPDX-License-Identifier: Apache-2.0
package dev.weir.provisioner.lease;

import dev.weir.provisioner.kafka.Topic;

/** Works on the partitions of one topic that this instance holds. Called by one thread; must not block for long. */
public interface LeaseWorker {
    Topic topic();

    void acquired(Lease lease);

    /** Work on the partition must end: the lease was lost, is handed to another instance, or the process ends. */
    void released(Lease lease);

    /** Whether the work of a released lease has ended, so that the lease can be freed for others. */
    boolean idle(Lease lease);
}
