// SPDX-License-Identifier: Apache-2.0
package dev.weir.provisioner.publish;

import dev.weir.compiler.CompileInput;
import dev.weir.compiler.CompileResult;
import dev.weir.compiler.Fault;
import dev.weir.compiler.LoadBalancerCompiler;
import dev.weir.compiler.LoadBalancerTree;
import dev.weir.compiler.PopSite;
import dev.weir.compiler.ResourceId;
import dev.weir.compiler.ServingSince;
import dev.weir.messages.v1.ConfigRecord;
import dev.weir.messages.v1.DeletedRecord;
import dev.weir.messages.v1.LoadBalancerConfig;
import dev.weir.messages.v1.LoadBalancerRecord;
import dev.weir.messages.v1.PartitionDigest;
import dev.weir.provisioner.lease.Lease;
import dev.weir.provisioner.outbox.OutboxKind;
import dev.weir.provisioner.outbox.OutboxStore;
import dev.weir.provisioner.publish.RecordStore.Kind;
import dev.weir.provisioner.publish.RecordStore.PublishedRecord;
import dev.weir.provisioner.publish.SpecStore.LoadBalancerSpec;
import dev.weir.provisioner.rollout.StatusStore;
import io.micrometer.core.instrument.Timer;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.dao.DataAccessException;

/** Publishes the load balancers of one partition of weir.config.v1, its digests and tombstones. */
final class ConfigPublisher extends PartitionPublisher {
    private static final Logger log = LoggerFactory.getLogger(ConfigPublisher.class);
    private static final Duration QUIET_BEFORE_DIGEST = Duration.ofSeconds(1);
    private static final Duration BURY_EACH = Duration.ofSeconds(2);

    private final SpecStore specs;
    private final RecordStore records;
    private final PrefixListRecords prefixLists;
    private final OutboxStore outbox;
    private final StatusStore statuses;
    private final Staging staging;
    private final Clock clock;
    private final Timer delay;
    private final LoadBalancerCompiler compiler = new LoadBalancerCompiler();
    private long changedAt = System.nanoTime();
    private byte[] newestDigest = {};
    private long buriedAt = System.nanoTime();

    /** Whether there is history that nodes may still have to pass. */
    private boolean mayBury = true;

    ConfigPublisher(
            Lease lease,
            PublisherTools tools,
            SpecStore specs,
            RecordStore records,
            PrefixListRecords prefixLists,
            OutboxStore outbox,
            StatusStore statuses,
            Staging staging,
            Clock clock) {
        super(lease, tools);
        this.specs = specs;
        this.records = records;
        this.prefixLists = prefixLists;
        this.outbox = outbox;
        this.statuses = statuses;
        this.staging = staging;
        this.clock = clock;
        this.delay = tools.delay();
    }

    @Override
    List<Outgoing> prepare(List<UUID> keys) {
        Map<UUID, List<OutboxStore.Claimed>> claimed = outbox.claim(keys).stream()
                .filter(row -> row.kind() == OutboxKind.LOAD_BALANCER || row.kind() == OutboxKind.PREFIX_LIST)
                .collect(Collectors.groupingBy(OutboxStore.Claimed::key));
        Map<UUID, LoadBalancerSpec> wanted = specs.loadBalancers(keys);
        Map<UUID, PublishedRecord> newest = records.newest(keys);
        List<PopSite> pops = specs.popSites();
        long epoch = records.epoch();
        mayBury = true;
        // First: whoever reads the records in their order has a list before it is referred to.
        List<Outgoing> outgoing = new ArrayList<>(prefixLists.prepare(keys, lease.partition(), epoch, claimed));
        List<UUID> needless = new ArrayList<>();
        for (UUID key : wanted.keySet()) {
            List<OutboxStore.Claimed> rows = claimed.getOrDefault(key, List.of());
            try {
                record(wanted.get(key), newest.get(key), pops, epoch, rows)
                        .ifPresentOrElse(outgoing::add, () -> rows.forEach(row -> needless.add(row.id())));
            } catch (DataAccessException e) {
                throw e;
            } catch (RuntimeException e) {
                // What was stored cannot be understood: that is this key's own, and must not hold up the others.
                log.atError()
                        .setCause(e)
                        .addKeyValue("load_balancer", ResourceId.LOAD_BALANCER.format(key))
                        .log("load balancer cannot be published");
                outbox.postpone(List.of(key));
            }
        }
        outbox.done(needless);
        return outgoing;
    }

    private Optional<Outgoing> record(
            @Nullable LoadBalancerSpec wanted,
            @Nullable PublishedRecord newest,
            List<PopSite> pops,
            long epoch,
            List<OutboxStore.Claimed> rows) {
        if (wanted == null) {
            return Optional.empty();
        }
        String text = wanted.tree();
        if (text == null) {
            // Never published: there is nothing to take back.
            if (newest == null) {
                return Optional.empty();
            }
            boolean due = newest.kind() == Kind.CONFIG || newest.logOffset() == null || newest.epoch() < epoch;
            return due ? Optional.of(deleted(wanted, newest.popIds(), epoch, rows)) : Optional.empty();
        }
        LoadBalancerTree tree = specs.tree(text);
        Map<UUID, Integer> sizes = newest == null ? Map.of() : newest.maglevTableSizes();
        Map<UUID, Long> before = newest == null || newest.kind() == Kind.DELETED ? Map.of() : newest.servingSinceUs();
        Map<UUID, Long> since = ServingSince.of(tree, before, wanted.committedAt());
        CompileInput input = new CompileInput(tree, wanted.generation(), wanted.vips(), pops, wanted.committedAt())
                .withPrefixLists(prefixLists(tree))
                .withMaglevTableSizes(sizes)
                .withServingSince(since);
        return switch (compiler.compile(input)) {
            case CompileResult.Refused refused -> {
                refused(wanted, refused.faults());
                yield Optional.empty();
            }
            case CompileResult.Compiled compiled ->
                switch (staging.of(wanted, newest, compiled.config(), pops)) {
                    case Staging.Refused refused -> {
                        refused(wanted, refused.faults());
                        yield Optional.empty();
                    }
                    case Staging.Staged staged -> config(wanted, staged, compiled.config(), newest, since, epoch, rows);
                };
        };
    }

    private void refused(LoadBalancerSpec wanted, List<Fault> faults) {
        if (statuses.refused(wanted.projectId(), wanted.id(), wanted.generation(), faults)) {
            log.atWarn()
                    .addKeyValue("load_balancer", ResourceId.LOAD_BALANCER.format(wanted.id()))
                    .addKeyValue("generation", wanted.generation())
                    .addKeyValue("codes", faults.stream().map(Fault::code).toList())
                    .log("load balancer cannot be compiled any more");
        }
    }

    /** A tree could not be stored with a list that is not there, nor the list be deleted since. */
    static Set<UUID> prefixLists(LoadBalancerTree tree) {
        return tree.listeners().stream()
                .flatMap(listener -> Stream.concat(
                        listener.allowedPrefixListIds().stream(), listener.deniedPrefixListIds().stream()))
                .collect(Collectors.toSet());
    }

    /** Empty if the newest record says the same already. */
    private Optional<Outgoing> config(
            LoadBalancerSpec wanted,
            Staging.Staged staged,
            LoadBalancerConfig compiled,
            @Nullable PublishedRecord newest,
            Map<UUID, Long> since,
            long epoch,
            List<OutboxStore.Claimed> rows) {
        LoadBalancerRecord record = staged.record().toBuilder()
                .setLoadBalancerId(compiled.getLoadBalancerId())
                .setProjectId(compiled.getProjectId())
                .setTenantId(ResourceId.TENANT.format(wanted.tenantId()))
                .build();
        byte[] sha256 = Digest.sha256(record.toByteArray());
        if (newest != null
                && newest.kind() == Kind.CONFIG
                && newest.epoch() == epoch
                && newest.logOffset() != null
                && newest.overlaySequence() == wanted.overlay().getSequence()
                && Arrays.equals(newest.configSha256(), sha256)) {
            return Optional.empty();
        }
        Map<UUID, Integer> sizes = new HashMap<>();
        compiled.getPoolsList()
                .forEach(pool -> sizes.put(ResourceId.POOL.parse(pool.getPoolId()), pool.getMaglevTableSize()));
        ConfigRecord.Builder body = ConfigRecord.newBuilder().setLoadBalancer(withOverlay(record, wanted));
        return Optional.of(outgoing(wanted, body, Kind.CONFIG, staged.placement(), sha256, sizes, since, epoch, rows));
    }

    /** Beside what is stable and the candidate: it is for both. */
    private static LoadBalancerRecord withOverlay(LoadBalancerRecord record, LoadBalancerSpec wanted) {
        return wanted.overlay().getEntriesCount() == 0
                ? record
                : record.toBuilder().setOverlay(wanted.overlay()).build();
    }

    /** @param popIds where it runs: the deletion has come home when these have passed it */
    private Outgoing deleted(LoadBalancerSpec wanted, List<UUID> popIds, long epoch, List<OutboxStore.Claimed> rows) {
        ConfigRecord.Builder body = ConfigRecord.newBuilder()
                .setDeleted(DeletedRecord.newBuilder()
                        .setProjectId(ResourceId.PROJECT.format(wanted.projectId()))
                        .setGeneration(wanted.generation()));
        return outgoing(
                wanted, body, Kind.DELETED, Staging.Placed.whole(popIds), new byte[0], Map.of(), Map.of(), epoch, rows);
    }

    private Outgoing outgoing(
            LoadBalancerSpec wanted,
            ConfigRecord.Builder body,
            Kind kind,
            Staging.Placed placed,
            byte[] sha256,
            Map<UUID, Integer> sizes,
            Map<UUID, Long> since,
            long epoch,
            List<OutboxStore.Claimed> rows) {
        String key = ResourceId.LOAD_BALANCER.format(wanted.id());
        long sequence = records.nextSequence(key);
        records.add(new PublishedRecord(
                wanted.projectId(),
                wanted.id(),
                epoch,
                sequence,
                lease.partition(),
                null,
                kind,
                wanted.generation(),
                wanted.overlay().getSequence(),
                placed.popIds(),
                sha256,
                sizes,
                since,
                wanted.committedAt(),
                placed.stableGeneration(),
                placed.candidatePopIds()));
        String traceparent = rows.isEmpty() ? null : rows.getLast().traceparent();
        ConfigRecord record = body.setEpoch(epoch)
                .setSequence(sequence)
                .setPublishedAtUs(nowUs())
                .setTraceparent(traceparent == null ? "" : traceparent)
                .build();
        List<UUID> rowIds = rows.stream().map(OutboxStore.Claimed::id).toList();
        return new Outgoing(key, record.toByteArray(), epoch, sequence, kind == Kind.CONFIG, offset -> {
            records.confirm(wanted.projectId(), wanted.id(), epoch, sequence, offset);
            outbox.done(rowIds);
            boolean newGeneration = statuses.published(wanted.projectId(), wanted.id(), wanted.generation());
            if (newGeneration) {
                delay.record(Duration.between(wanted.committedAt(), clock.instant()));
            }
            changedAt = System.nanoTime();
            mayBury = true;
        });
    }

    private long nowUs() {
        return ChronoUnit.MICROS.between(Instant.EPOCH, clock.instant());
    }

    @Override
    void published(List<UUID> keys) {
        // A watermark may have passed the record before PostgreSQL knew its offset.
        statuses.refresh(keys);
    }

    @Override
    void reconcile() {
        for (PublishedRecord record :
                records.newestOfPartition(lease.partition()).values()) {
            LogEntry entry = entries.get(ResourceId.LOAD_BALANCER.format(record.loadBalancerId()));
            if (entry != null && entry.epoch() == record.epoch() && entry.sequence() == record.sequence()) {
                records.confirm(
                        record.projectId(), record.loadBalancerId(), record.epoch(), record.sequence(), entry.offset());
                statuses.published(record.projectId(), record.loadBalancerId(), record.generation());
            } else if (entry == null
                    || entry.epoch() < record.epoch()
                    || entry.epoch() == record.epoch() && entry.sequence() < record.sequence()) {
                if (entry == null) {
                    records.lost(record.projectId(), record.loadBalancerId());
                }
                offer(record.loadBalancerId());
            } else {
                log.atError()
                        .addKeyValue("load_balancer", ResourceId.LOAD_BALANCER.format(record.loadBalancerId()))
                        .addKeyValue("sequence", record.sequence())
                        .addKeyValue("sequence_in_log", entry.sequence())
                        .log("the log is ahead of PostgreSQL: raise the config epoch if it was restored");
            }
        }
        prefixLists.reconcile(lease.partition(), entries).forEach(this::offer);
        newestDigest = new byte[0];
        mayBury = true;
        changedAt = System.nanoTime();
    }

    @Override
    void housekeep() {
        if (System.nanoTime() - changedAt > QUIET_BEFORE_DIGEST.toNanos()) {
            publishDigest();
        }
        if (mayBury && System.nanoTime() - buriedAt > BURY_EACH.toNanos()) {
            bury();
            buriedAt = System.nanoTime();
        }
    }

    /** Written once the partition has been quiet for a second, or is quiet after a change of publisher. */
    private void publishDigest() {
        Digest digest = Digest.of(entries);
        if (Arrays.equals(digest.sha256(), newestDigest)) {
            return;
        }
        send(() -> {
            String key = Digest.key(lease.partition());
            long epoch = records.epoch();
            long sequence = records.nextSequence(key);
            ConfigRecord record = ConfigRecord.newBuilder()
                    .setEpoch(epoch)
                    .setSequence(sequence)
                    .setPublishedAtUs(nowUs())
                    .setDigest(PartitionDigest.newBuilder()
                            .setPartition(lease.partition())
                            .setSha256(com.google.protobuf.ByteString.copyFrom(digest.sha256()))
                            .setKeys(digest.keys()))
                    .build();
            return List.of(new Outgoing(key, record.toByteArray(), epoch, sequence, true, offset -> {}));
        });
        newestDigest = digest.sha256();
    }

    /** Drops history that no node can run any more, and follows deletions that all nodes passed by tombstones. */
    private void bury() {
        long passed = records.passedByAllNodes(lease.partition(), topicId());
        records.prune(lease.partition(), passed);
        mayBury = records.hasHistory(lease.partition()) || prefixLists.hasDeleted(lease.partition());
        Set<String> buried = new HashSet<>();
        send(() -> records.buried(lease.partition(), passed).stream()
                .map(record -> {
                    String key = ResourceId.LOAD_BALANCER.format(record.loadBalancerId());
                    buried.add(key);
                    return new Outgoing(
                            key,
                            null,
                            record.epoch(),
                            record.sequence(),
                            false,
                            offset -> records.forget(record.projectId(), record.loadBalancerId()));
                })
                .toList());
        send(() -> prefixLists.tombstones(lease.partition(), passed));
        if (!buried.isEmpty()) {
            log.atInfo().addKeyValue("lease", lease).addKeyValue("keys", buried).log("deletions were passed by all");
        }
    }
}
