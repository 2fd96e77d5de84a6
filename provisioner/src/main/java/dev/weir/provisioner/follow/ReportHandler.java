// SPDX-License-Identifier: Apache-2.0
package dev.weir.provisioner.follow;

import dev.weir.provisioner.kafka.Topic;
import java.util.List;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/** What is done with the reports of one topic. Called by one thread. */
public interface ReportHandler {
    Topic topic();

    /**
     * Runs in a transaction that also saves how far was read, so each record takes effect once. Records that mean
     * nothing are dropped and counted, never thrown over: they would come again for ever.
     *
     * @param records of one partition, in its order; values are never null
     * @return run after the transaction was committed
     */
    Runnable handle(List<ConsumerRecord<String, byte[]>> records);

    /** Called at least each second, outside of any transaction, while this instance follows the partition. */
    default void tick(int partition) {}
}
