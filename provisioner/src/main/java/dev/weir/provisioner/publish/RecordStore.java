// SPDX-License-Identifier: Apache-2.0
package dev.weir.provisioner.publish;

import dev.weir.provisioner.SqlArrays;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.json.JsonMapper;

/** What was published: sequences, records and the PoPs that they were placed on. */
@Component
class RecordStore {
    private static final TypeReference<Map<UUID, Integer>> SIZES = new TypeReference<>() {};
    private static final TypeReference<Map<UUID, Long>> SINCE = new TypeReference<>() {};

    enum Kind {
        CONFIG,
        DELETED
    }

    /**
     * @param logOffset null: not seen in the log
     * @param stableGeneration null: the record holds one configuration; else what PoPs run that are not of
     *     {@code candidatePopIds}
     */
    record PublishedRecord(
            UUID projectId,
            UUID loadBalancerId,
            long epoch,
            long sequence,
            int partition,
            @Nullable Long logOffset,
            Kind kind,
            long generation,
            long overlaySequence,
            List<UUID> popIds,
            byte[] configSha256,
            Map<UUID, Integer> maglevTableSizes,
            @Nullable Map<UUID, Long> servingSinceUs,
            Instant committedAt,
            @Nullable Long stableGeneration,
            List<UUID> candidatePopIds) {}

    private final JdbcClient jdbc;
    private final JsonMapper json;

    RecordStore(JdbcClient jdbc, JsonMapper json) {
        this.jdbc = jdbc;
        this.json = json;
    }

    long epoch() {
        return jdbc.sql("select epoch from config_epoch").query(Long.class).single();
    }

    /** Taken for good once the surrounding transaction commits, whatever becomes of the record. */
    long nextSequence(String key) {
        return jdbc.sql("""
                        insert into config_sequences (key, sequence) values (?, 1)
                        on conflict (key) do update set sequence = config_sequences.sequence + 1
                        returning sequence
                        """).param(key).query(Long.class).single();
    }

    /** The newest record of each of the load balancers that has one. */
    Map<UUID, PublishedRecord> newest(Collection<UUID> loadBalancerIds) {
        return newestWhere("r.load_balancer_id = any(?::uuid[])", SqlArrays.uuids(loadBalancerIds));
    }

    Map<UUID, PublishedRecord> newestOfPartition(int partition) {
        return newestWhere("r.partition = ?", partition);
    }

    private Map<UUID, PublishedRecord> newestWhere(String condition, Object param) {
        Map<UUID, PublishedRecord> records = new HashMap<>();
        jdbc.sql("""
                        select distinct on (r.load_balancer_id) r.project_id, r.load_balancer_id, r.epoch, r.sequence,
                            r.partition, r.log_offset, r.kind, r.generation, r.overlay_sequence, r.pop_ids, r.config_sha256,
                            r.maglev_table_sizes::text as maglev_table_sizes,
                            r.serving_since_us::text as serving_since_us, r.committed_at,
                            r.stable_generation, r.candidate_pop_ids
                        from published_records r where %s
                        order by r.load_balancer_id, r.epoch desc, r.sequence desc
                        """.formatted(condition)).param(param).query(row -> {
            PublishedRecord record = new PublishedRecord(
                    row.getObject("project_id", UUID.class),
                    row.getObject("load_balancer_id", UUID.class),
                    row.getLong("epoch"),
                    row.getLong("sequence"),
                    row.getInt("partition"),
                    row.getObject("log_offset", Long.class),
                    row.getString("kind").equals("config") ? Kind.CONFIG : Kind.DELETED,
                    row.getLong("generation"),
                    row.getLong("overlay_sequence"),
                    SqlArrays.uuids(row, "pop_ids"),
                    row.getBytes("config_sha256"),
                    json.readValue(row.getString("maglev_table_sizes"), SIZES),
                    since(row.getString("serving_since_us")),
                    row.getObject("committed_at", OffsetDateTime.class).toInstant(),
                    row.getObject("stable_generation", Long.class),
                    SqlArrays.uuids(row, "candidate_pop_ids"));
            records.put(record.loadBalancerId(), record);
        });
        return records;
    }

    private @Nullable Map<UUID, Long> since(@Nullable String object) {
        return object == null ? null : json.readValue(object, SINCE);
    }

    void add(PublishedRecord record) {
        jdbc.sql("""
                        insert into published_records (project_id, load_balancer_id, epoch, sequence, partition, kind,
                            generation, overlay_sequence, pop_ids, config_sha256, maglev_table_sizes, serving_since_us,
                            committed_at, stable_generation, candidate_pop_ids)
                        values (?, ?, ?, ?, ?, ?, ?, ?, ?::uuid[], ?, ?::jsonb, ?::jsonb, ?, nullif(?, 0), ?::uuid[])
                        """)
                .params(
                        record.projectId(),
                        record.loadBalancerId(),
                        record.epoch(),
                        record.sequence(),
                        record.partition(),
                        record.kind() == Kind.CONFIG ? "config" : "deleted",
                        record.generation(),
                        record.overlaySequence(),
                        SqlArrays.uuids(record.popIds()),
                        record.configSha256(),
                        json.writeValueAsString(record.maglevTableSizes()),
                        json.writeValueAsString(Objects.requireNonNullElse(record.servingSinceUs(), Map.of())),
                        record.committedAt().atOffset(ZoneOffset.UTC),
                        Objects.requireNonNullElse(record.stableGeneration(), 0L),
                        SqlArrays.uuids(record.candidatePopIds()))
                .update();
    }

    /** The record was seen in the log, committed. */
    void confirm(UUID projectId, UUID loadBalancerId, long epoch, long sequence, long offset) {
        jdbc.sql("""
                        update published_records
                        set log_offset = ?, published_at = coalesce(published_at, clock_timestamp())
                        where project_id = ? and load_balancer_id = ? and epoch = ? and sequence = ?
                        """).params(offset, projectId, loadBalancerId, epoch, sequence).update();
    }

    /** The log does not have this or any older record of the load balancer. */
    void lost(UUID projectId, UUID loadBalancerId) {
        jdbc.sql("update published_records set log_offset = null where project_id = ? and load_balancer_id = ?")
                .params(projectId, loadBalancerId)
                .update();
    }

    void forget(UUID projectId, UUID loadBalancerId) {
        jdbc.sql("delete from published_records where project_id = ? and load_balancer_id = ?")
                .params(projectId, loadBalancerId)
                .update();
    }

    /** Records below this position were passed by every node that may forward; 0 while one has not said anything. */
    long passedByAllNodes(int partition, String topicId) {
        return jdbc.sql("""
                        select coalesce(min(case when r.topic_id = ? then coalesce(w.position, 0) else 0 end),
                            9223372036854775807)
                        from nodes n
                        left join node_reports r on r.node_id = n.id
                        left join node_watermarks w on w.node_id = n.id and w.partition = ?
                        where n.deleted_at is null and n.fenced_at is null
                        """).params(topicId, partition).query(Long.class).single();
    }

    /** Drops what no node can run any more: records that all nodes passed a successor of, and what is far behind. */
    int prune(int partition, long passed) {
        return jdbc.sql("""
                        delete from published_records r
                        where r.partition = ? and exists (
                            select from published_records n
                            where n.project_id = r.project_id and n.load_balancer_id = r.load_balancer_id
                                and (n.epoch, n.sequence) > (r.epoch, r.sequence) and n.log_offset < ?)
                            and not exists (select from node_drains d
                                join nodes n on n.id = d.node_id and n.deleted_at is null and n.fenced_at is null
                                where d.project_id = r.project_id and d.load_balancer_id = r.load_balancer_id)
                        """).params(partition, passed).update();
    }

    /** Whether the partition has deletions, or records with a successor. */
    boolean hasHistory(int partition) {
        return jdbc.sql("""
                        select exists (select from published_records where partition = :partition and kind = 'deleted')
                            or exists (select from published_records where partition = :partition
                                group by project_id, load_balancer_id having count(*) > 1)
                        """).param("partition", partition).query(Boolean.class).single();
    }

    /** Deleted load balancers whose record every node has passed, and of which no flows drain. */
    List<PublishedRecord> buried(int partition, long passed) {
        Set<UUID> draining = new HashSet<>(jdbc.sql("""
                        select distinct d.load_balancer_id from node_drains d join nodes n on n.id = d.node_id
                        where n.deleted_at is null and n.fenced_at is null
                        """).query(UUID.class).list());
        return newestOfPartition(partition).values().stream()
                .filter(record -> record.kind() == Kind.DELETED && !draining.contains(record.loadBalancerId()))
                .filter(record -> {
                    Long offset = record.logOffset();
                    return offset != null && offset < passed;
                })
                .toList();
    }

    // -- weir.pops.v1

    record PublishedPop(
            UUID key,
            String kind,
            long epoch,
            long sequence,
            @Nullable Long logOffset,
            long generation,
            byte[] contentSha256) {}

    Map<UUID, PublishedPop> publishedPops() {
        Map<UUID, PublishedPop> pops = new HashMap<>();
        jdbc.sql("select key, kind, epoch, sequence, log_offset, generation, content_sha256 from published_pops")
                .query(row -> {
                    UUID key = row.getObject("key", UUID.class);
                    pops.put(
                            key,
                            new PublishedPop(
                                    key,
                                    row.getString("kind"),
                                    row.getLong("epoch"),
                                    row.getLong("sequence"),
                                    row.getObject("log_offset", Long.class),
                                    row.getLong("generation"),
                                    row.getBytes("content_sha256")));
                });
        return pops;
    }

    void putPop(PublishedPop pop) {
        jdbc.sql("""
                        insert into published_pops (key, kind, epoch, sequence, generation, content_sha256)
                        values (?, ?, ?, ?, ?, ?)
                        on conflict (key) do update set kind = excluded.kind, epoch = excluded.epoch,
                            sequence = excluded.sequence, generation = excluded.generation, log_offset = null,
                            content_sha256 = excluded.content_sha256
                        """)
                .params(pop.key(), pop.kind(), pop.epoch(), pop.sequence(), pop.generation(), pop.contentSha256())
                .update();
    }

    void confirmPop(UUID key, long epoch, long sequence, long offset) {
        jdbc.sql("""
                        update published_pops set log_offset = ?, published_at = clock_timestamp()
                        where key = ? and epoch = ? and sequence = ?
                        """).params(offset, key, epoch, sequence).update();
    }

    record GonePop(UUID key, long epoch, long sequence) {}

    /** PoPs and nodes whose deletion was published a day ago: who has not read it by now reads from the start. */
    List<GonePop> longGonePops() {
        return jdbc.sql("""
                        select key, epoch, sequence from published_pops
                        where kind = 'deleted' and log_offset is not null and published_at < now() - interval '1 day'
                        """)
                .query((row, n) -> new GonePop(row.getObject(1, UUID.class), row.getLong(2), row.getLong(3)))
                .list();
    }

    void forgetPop(UUID key) {
        jdbc.sql("delete from published_pops where key = ?").param(key).update();
    }

    void popLost(UUID key) {
        jdbc.sql("update published_pops set log_offset = null where key = ?")
                .param(key)
                .update();
    }
}
