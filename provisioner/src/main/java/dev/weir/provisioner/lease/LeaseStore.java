// SPDX-License-Identifier: Apache-2.0
package dev.weir.provisioner.lease;

import dev.weir.provisioner.kafka.Topic;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.UUID;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/** Leases as rows. All times are PostgreSQL's. */
@Component
public class LeaseStore {
    /** A row of {@code partition_leases}. */
    record Row(String topic, int partition, long epoch) {}

    private final JdbcClient jdbc;

    LeaseStore(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    /**
     * Makes sure that the lease is held until the surrounding transaction ends: whoever takes it over waits for that.
     *
     * @throws LeaseLostException if it is another's or has expired
     */
    public void hold(Lease lease) {
        boolean held = jdbc.sql("""
                        select 1 from partition_leases
                        where topic = ? and partition = ? and holder = ? and lease_epoch = ?
                            and expires_at > clock_timestamp()
                        for share
                        """)
                .params(lease.topic().topicName(), lease.partition(), lease.holder(), lease.epoch())
                .query(Integer.class)
                .optional()
                .isPresent();
        if (!held) {
            throw new LeaseLostException(lease);
        }
    }

    void createRows(Collection<Topic> topics) {
        for (Topic topic : topics) {
            jdbc.sql("""
                            insert into partition_leases (topic, partition)
                            select ?, generate_series(0, ? - 1) on conflict do nothing
                            """).params(topic.topicName(), topic.partitions()).update();
        }
    }

    /** @return how many instances live, this one included */
    int beat(UUID instance, String name, Duration duration) {
        jdbc.sql("""
                        insert into provisioner_instances (id, name, seen_at) values (?, ?, clock_timestamp())
                        on conflict (id) do update set seen_at = excluded.seen_at
                        """).params(instance, name).update();
        return jdbc.sql("""
                        select count(*) from provisioner_instances
                        where seen_at > clock_timestamp() - make_interval(secs => ?)
                        """).param(seconds(duration)).query(Integer.class).single();
    }

    /** Also renews what has expired if nobody took it: the work was paused meanwhile, never another's. */
    List<Row> renew(UUID instance, Duration duration) {
        return jdbc.sql("""
                        update partition_leases set expires_at = clock_timestamp() + make_interval(secs => ?)
                        where holder = ? returning topic, partition, lease_epoch
                        """)
                .params(seconds(duration), instance)
                .query((row, n) -> new Row(row.getString(1), row.getInt(2), row.getLong(3)))
                .list();
    }

    List<Row> acquire(UUID instance, Topic topic, int atMost, Duration duration) {
        return jdbc.sql("""
                        update partition_leases l
                        set holder = ?, lease_epoch = lease_epoch + 1,
                            expires_at = clock_timestamp() + make_interval(secs => ?)
                        from (
                            select topic, partition from partition_leases
                            where topic = ? and (holder is null or expires_at <= clock_timestamp())
                            order by random() limit ? for update skip locked
                        ) free
                        where l.topic = free.topic and l.partition = free.partition
                        returning l.topic, l.partition, l.lease_epoch
                        """)
                .params(instance, seconds(duration), topic.topicName(), atMost)
                .query((row, n) -> new Row(row.getString(1), row.getInt(2), row.getLong(3)))
                .list();
    }

    void free(Lease lease) {
        jdbc.sql("""
                        update partition_leases set holder = null, expires_at = null
                        where topic = ? and partition = ? and holder = ? and lease_epoch = ?
                        """)
                .params(lease.topic().topicName(), lease.partition(), lease.holder(), lease.epoch())
                .update();
    }

    void forget(UUID instance) {
        jdbc.sql("delete from provisioner_instances where id = ? or seen_at < clock_timestamp() - interval '1 hour'")
                .param(instance)
                .update();
    }

    private static double seconds(Duration duration) {
        return duration.toMillis() / 1000.0;
    }
}
