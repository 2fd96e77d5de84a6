// SPDX-License-Identifier: Apache-2.0
package dev.weir.provisioner.publish;

import dev.weir.provisioner.kafka.Topic;
import dev.weir.provisioner.lease.Lease;
import dev.weir.provisioner.outbox.OutboxKind;
import dev.weir.provisioner.outbox.OutboxStore;
import java.time.Clock;
import java.util.UUID;
import org.springframework.stereotype.Component;

/** Publishes weir.pops.v1. */
@Component
final class PopsPublishers extends PublisherHub {
    private final PublisherTools tools;
    private final SpecStore specs;
    private final RecordStore records;
    private final OutboxStore outbox;
    private final Clock clock;

    PopsPublishers(PublisherTools tools, SpecStore specs, RecordStore records, OutboxStore outbox, Clock clock) {
        this.tools = tools;
        this.specs = specs;
        this.records = records;
        this.outbox = outbox;
        this.clock = clock;
    }

    @Override
    public Topic topic() {
        return Topic.POPS;
    }

    @Override
    public boolean takes(OutboxKind kind) {
        return switch (kind) {
            case POP, NODE -> true;
            case LOAD_BALANCER, PREFIX_LIST -> false;
        };
    }

    @Override
    PartitionPublisher publisher(Lease lease) {
        return new PopsPublisher(lease, tools, specs, records, outbox, clock);
    }

    @Override
    int partition(OutboxKind kind, UUID key) {
        return 0;
    }
}
