// SPDX-License-Identifier: Apache-2.0
package dev.weir.provisioner.lease;

import dev.weir.provisioner.kafka.Topic;
import java.util.UUID;

/**
 * This instance's right to work on a partition. It ends by itself unless it is renewed; every transaction that depends on
 * it also asks PostgreSQL, see {@link LeaseStore#hold}.
 */
public final class Lease {
    private final Topic topic;
    private final int partition;
    private final UUID holder;
    private final long epoch;
    private volatile long validUntil;

    Lease(Topic topic, int partition, UUID holder, long epoch, long validUntil) {
        this.topic = topic;
        this.partition = partition;
        this.holder = holder;
        this.epoch = epoch;
        this.validUntil = validUntil;
    }

    public Topic topic() {
        return topic;
    }

    public int partition() {
        return partition;
    }

    UUID holder() {
        return holder;
    }

    long epoch() {
        return epoch;
    }

    /** False: nothing may be started, but the lease may yet be renewed. */
    public boolean valid() {
        return System.nanoTime() - validUntil < 0;
    }

    void renewedUntil(long nanoTime) {
        validUntil = nanoTime;
    }

    @Override
    public String toString() {
        return topic.topicName() + "/" + partition;
    }
}
