// SPDX-License-Identifier: Apache-2.0
package dev.weir.provisioner.follow;

import dev.weir.provisioner.lease.Lease;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/** Where following a partition goes on; saved in the transaction that holds what the records led to. */
@Component
class OffsetStore {
    private final JdbcClient jdbc;

    OffsetStore(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    /** 0 if nothing of this very topic was read yet. */
    long next(Lease lease, String topicId) {
        return jdbc.sql("select next_offset from consumer_offsets where topic = ? and partition = ? and topic_id = ?")
                .params(lease.topic().topicName(), lease.partition(), topicId)
                .query(Long.class)
                .optional()
                .orElse(0L);
    }

    void commitLazily() {
        jdbc.sql("set local synchronous_commit = off").update();
    }

    void save(Lease lease, String topicId, long next) {
        jdbc.sql("""
                        insert into consumer_offsets (topic, partition, topic_id, next_offset) values (?, ?, ?, ?)
                        on conflict (topic, partition) do update
                        set topic_id = excluded.topic_id, next_offset = excluded.next_offset
                        """)
                .params(lease.topic().topicName(), lease.partition(), topicId, next)
                .update();
    }
}
