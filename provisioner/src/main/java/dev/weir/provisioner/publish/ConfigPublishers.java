// SPDX-License-Identifier: Apache-2.0
package dev.weir.provisioner.publish;

import dev.weir.compiler.ResourceId;
import dev.weir.provisioner.kafka.Topic;
import dev.weir.provisioner.lease.Lease;
import dev.weir.provisioner.outbox.OutboxKind;
import dev.weir.provisioner.outbox.OutboxStore;
import dev.weir.provisioner.rollout.StatusStore;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.util.UUID;
import org.apache.kafka.common.utils.Utils;
import org.springframework.stereotype.Component;

/** Publishes weir.config.v1. */
@Component
final class ConfigPublishers extends PublisherHub {
    private final PublisherTools tools;
    private final SpecStore specs;
    private final RecordStore records;
    private final PrefixListRecords prefixLists;
    private final OutboxStore outbox;
    private final StatusStore statuses;
    private final Staging staging;
    private final Clock clock;

    ConfigPublishers(
            PublisherTools tools,
            SpecStore specs,
            RecordStore records,
            PrefixListRecords prefixLists,
            OutboxStore outbox,
            StatusStore statuses,
            Staging staging,
            Clock clock) {
        this.tools = tools;
        this.specs = specs;
        this.records = records;
        this.prefixLists = prefixLists;
        this.outbox = outbox;
        this.statuses = statuses;
        this.staging = staging;
        this.clock = clock;
    }

    @Override
    public Topic topic() {
        return Topic.CONFIG;
    }

    @Override
    public boolean takes(OutboxKind kind) {
        return switch (kind) {
            case LOAD_BALANCER, PREFIX_LIST -> true;
            case POP, NODE -> false;
        };
    }

    @Override
    PartitionPublisher publisher(Lease lease) {
        return new ConfigPublisher(lease, tools, specs, records, prefixLists, outbox, statuses, staging, clock);
    }

    /** Kafka's own default for a key, so that any client finds it where it looks. */
    @Override
    int partition(OutboxKind kind, UUID key) {
        ResourceId id = kind == OutboxKind.PREFIX_LIST ? ResourceId.PREFIX_LIST : ResourceId.LOAD_BALANCER;
        byte[] bytes = id.format(key).getBytes(StandardCharsets.UTF_8);
        return Utils.toPositive(Utils.murmur2(bytes)) % Topic.CONFIG.partitions();
    }
}
