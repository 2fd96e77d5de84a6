// SPDX-License-Identifier: Apache-2.0
package dev.weir.provisioner.publish;

import com.google.protobuf.ByteString;
import dev.weir.compiler.ResourceId;
import dev.weir.messages.v1.ConfigRecord;
import dev.weir.messages.v1.DeletedRecord;
import dev.weir.messages.v1.PrefixListRecord;
import dev.weir.provisioner.outbox.OutboxStore;
import dev.weir.provisioner.publish.PartitionPublisher.Outgoing;
import dev.weir.provisioner.publish.PrefixListStore.Published;
import dev.weir.provisioner.publish.PrefixListStore.Spec;
import java.io.ByteArrayOutputStream;
import java.net.InetAddress;
import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Component;

/** The records of prefix lists; they share the partitions, and so the publishers, of the load balancers. */
@Component
final class PrefixListRecords {
    private final PrefixListStore lists;
    private final RecordStore records;
    private final OutboxStore outbox;
    private final Clock clock;

    PrefixListRecords(PrefixListStore lists, RecordStore records, OutboxStore outbox, Clock clock) {
        this.lists = lists;
        this.records = records;
        this.outbox = outbox;
        this.clock = clock;
    }

    /** @param rows claimed for these keys; those of lists that need no record are done with */
    List<Outgoing> prepare(
            Collection<UUID> keys, int partition, long epoch, Map<UUID, List<OutboxStore.Claimed>> rows) {
        Map<UUID, Spec> wanted = lists.wanted(keys);
        Map<UUID, Published> newest = lists.newest(wanted.keySet());
        List<Outgoing> outgoing = new ArrayList<>();
        for (Spec spec : wanted.values()) {
            List<UUID> rowIds = rows.getOrDefault(spec.id(), List.of()).stream()
                    .map(OutboxStore.Claimed::id)
                    .toList();
            if (isDue(spec, newest.get(spec.id()), epoch)) {
                outgoing.add(outgoing(spec, partition, epoch, rowIds));
            } else {
                outbox.done(rowIds);
            }
        }
        return outgoing;
    }

    private static boolean isDue(Spec spec, @Nullable Published newest, long epoch) {
        if (newest == null) {
            // Deleted before it was published: there is nothing to take back.
            return spec.cidrs() != null;
        }
        return newest.epoch() < epoch
                || newest.logOffset() == null
                || newest.deleted() != (spec.cidrs() == null)
                || newest.generation() != spec.generation();
    }

    private Outgoing outgoing(Spec spec, int partition, long epoch, List<UUID> rowIds) {
        String key = ResourceId.PREFIX_LIST.format(spec.id());
        long sequence = records.nextSequence(key);
        List<String> cidrs = spec.cidrs();
        lists.put(new Published(spec.id(), partition, epoch, sequence, null, cidrs == null, spec.generation()));
        ConfigRecord.Builder record = ConfigRecord.newBuilder()
                .setEpoch(epoch)
                .setSequence(sequence)
                .setPublishedAtUs(ChronoUnit.MICROS.between(Instant.EPOCH, clock.instant()));
        String project = ResourceId.PROJECT.format(spec.projectId());
        if (cidrs == null) {
            record.setDeleted(DeletedRecord.newBuilder().setProjectId(project).setGeneration(spec.generation()));
        } else {
            byte[] packed = packed(cidrs);
            record.setPrefixList(PrefixListRecord.newBuilder()
                    .setPrefixListId(key)
                    .setProjectId(project)
                    .setContentSha256(ByteString.copyFrom(Digest.sha256(packed)))
                    .setPacked(ByteString.copyFrom(packed)));
        }
        return new Outgoing(key, record.build().toByteArray(), epoch, sequence, cidrs != null, offset -> {
            lists.confirm(spec.id(), epoch, sequence, offset);
            outbox.done(rowIds);
        });
    }

    /** As {@code PrefixListRecord.packed} spells them. */
    static byte[] packed(List<String> cidrs) {
        ByteArrayOutputStream packed = new ByteArrayOutputStream(cidrs.size() * 6);
        for (String cidr : cidrs) {
            int slash = cidr.indexOf('/');
            byte[] address = InetAddress.ofLiteral(cidr.substring(0, slash)).getAddress();
            packed.write(address.length == 4 ? 4 : 6);
            packed.write(Integer.parseInt(cidr.substring(slash + 1)));
            packed.writeBytes(address);
        }
        return packed.toByteArray();
    }

    /** Compares what the log holds with what PostgreSQL believes; returns the lists to publish again. */
    List<UUID> reconcile(int partition, Map<String, LogEntry> entries) {
        List<UUID> again = new ArrayList<>();
        for (Published list : lists.ofPartition(partition)) {
            LogEntry entry = entries.get(ResourceId.PREFIX_LIST.format(list.key()));
            if (entry != null && entry.epoch() == list.epoch() && entry.sequence() == list.sequence()) {
                lists.confirm(list.key(), list.epoch(), list.sequence(), entry.offset());
            } else {
                lists.lost(list.key());
                again.add(list.key());
            }
        }
        return again;
    }

    boolean hasDeleted(int partition) {
        return lists.ofPartition(partition).stream().anyMatch(Published::deleted);
    }

    /** Tombstones of deleted lists whose record every node has passed. */
    List<Outgoing> tombstones(int partition, long passed) {
        return lists.ofPartition(partition).stream()
                .filter(Published::deleted)
                .filter(list -> Optional.ofNullable(list.logOffset())
                        .filter(offset -> offset < passed)
                        .isPresent())
                .map(list -> new Outgoing(
                        ResourceId.PREFIX_LIST.format(list.key()),
                        null,
                        list.epoch(),
                        list.sequence(),
                        false,
                        offset -> lists.forget(list.key())))
                .toList();
    }
}
