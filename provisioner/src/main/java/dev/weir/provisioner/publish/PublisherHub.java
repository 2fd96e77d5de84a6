// SPDX-License-Identifier: Apache-2.0
package dev.weir.provisioner.publish;

import dev.weir.provisioner.lease.Lease;
import dev.weir.provisioner.lease.LeaseWorker;
import dev.weir.provisioner.outbox.OutboxKind;
import dev.weir.provisioner.outbox.OutboxSink;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The publishers of one topic's partitions that this instance holds. */
abstract class PublisherHub implements LeaseWorker, OutboxSink {
    private static final Logger log = LoggerFactory.getLogger(PublisherHub.class);

    private final ConcurrentMap<Integer, PartitionPublisher> publishers = new ConcurrentHashMap<>();

    abstract PartitionPublisher publisher(Lease lease);

    abstract int partition(OutboxKind kind, UUID key);

    @Override
    public void acquired(Lease lease) {
        PartitionPublisher publisher = publisher(lease);
        publishers.put(lease.partition(), publisher);
        Thread.ofVirtual().name("publisher-" + lease).start(publisher::run);
        log.atDebug().addKeyValue("lease", lease).log("publisher started");
    }

    @Override
    public void released(Lease lease) {
        PartitionPublisher publisher = publishers.get(lease.partition());
        if (publisher != null && publisher.lease == lease) {
            publisher.stop();
        }
    }

    @Override
    public boolean idle(Lease lease) {
        PartitionPublisher publisher = publishers.get(lease.partition());
        return publisher == null || publisher.lease != lease || publisher.ended();
    }

    @Override
    public void offer(OutboxKind kind, UUID key, @Nullable UUID projectId) {
        PartitionPublisher publisher = publishers.get(partition(kind, key));
        if (publisher != null) {
            publisher.offer(new FairQueue.Entry(key, projectId));
        }
    }
}
