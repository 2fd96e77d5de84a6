// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.stream;

import java.util.Collection;
import java.util.TreeSet;
import org.apache.kafka.common.utils.Utils;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Removes load balancers whose deletion the agent can't have read: their tombstones vanished while it was away. Only
 * in partitions whose digest agrees with what was read, and never many at once without an operator.
 */
public final class Sweep {
    private static final Logger log = LoggerFactory.getLogger(Sweep.class);
    private static final int PARTITIONS = 16;

    /** More than one in this many needs an operator. */
    private static final int MAX_SHARE = 10;

    private boolean held;

    /** Whether a sweep waits for an operator. */
    public boolean held() {
        return held;
    }

    /**
     * @param inEngine ids of the load balancers that the engine runs
     * @param approved an operator allowed the sweep that is held
     * @return whether anything was marked as gone in the book
     */
    public boolean run(RecordBook book, Collection<String> inEngine, boolean approved) {
        TreeSet<String> candidates = new TreeSet<>();
        for (KeyState state : book.keys()) {
            if (!state.confirmed() && state.isLive() && book.matchedPartitions().contains(state.partition())) {
                candidates.add(state.key());
            }
        }
        for (String id : inEngine) {
            if (book.key(id) == null && book.matchedPartitions().contains(partition(id))) {
                candidates.add(id);
            }
        }
        // Keys that nothing runs may go without asking.
        long running = candidates.stream().filter(inEngine::contains).count();
        boolean tooMany = running * MAX_SHARE > inEngine.size();
        if (tooMany && !approved) {
            if (!held) {
                log.atError()
                        .addKeyValue("load_balancers", running)
                        .addKeyValue("of", inEngine.size())
                        .log("sweep held: more than a tenth would go, an operator must allow it");
            }
            held = true;
            return false;
        }
        held = false;
        candidates.forEach(key -> {
            log.atWarn().addKeyValue("load_balancer", key).log("swept: its records are gone");
            book.sweep(key, partition(key));
        });
        return !candidates.isEmpty();
    }

    /** Kafka's default partition of a key. */
    static int partition(String key) {
        return Utils.toPositive(Utils.murmur2(Utils.utf8(key))) % PARTITIONS;
    }
}
