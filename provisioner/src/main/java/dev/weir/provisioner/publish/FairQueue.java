// SPDX-License-Identifier: Apache-2.0
package dev.weir.provisioner.publish;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Keys that wait, each of a project. Projects take turns, so that one with thousands of keys does not hold up the others;
 * within a project it is first come, first served. Not safe for use by several threads.
 */
final class FairQueue {
    /** The project of keys that belong to none. */
    private static final UUID NOBODY = new UUID(0, 0);

    private final Map<UUID, Set<UUID>> keysByProject = new LinkedHashMap<>();
    private final Set<UUID> waiting = new HashSet<>();

    /** A key and its project; null: it belongs to none, or that is not known. */
    record Entry(UUID key, @Nullable UUID projectId) {}

    /** Returns false if the key waits already. */
    boolean offer(Entry entry) {
        if (!waiting.add(entry.key())) {
            return false;
        }
        UUID project = entry.projectId() == null ? NOBODY : entry.projectId();
        keysByProject.computeIfAbsent(project, any -> new LinkedHashSet<>()).add(entry.key());
        return true;
    }

    boolean isEmpty() {
        return waiting.isEmpty();
    }

    /** Takes at most so many keys that are ready; the others stay where they are. */
    List<Entry> take(int most, Predicate<UUID> ready) {
        List<Entry> taken = new ArrayList<>();
        Map<UUID, Iterator<UUID>> rest = new HashMap<>();
        keysByProject.forEach((project, keys) -> rest.put(project, keys.iterator()));
        Deque<UUID> turns = new ArrayDeque<>(keysByProject.keySet());
        Set<UUID> served = new LinkedHashSet<>();
        while (taken.size() < most && !turns.isEmpty()) {
            UUID project = turns.remove();
            Iterator<UUID> keys = rest.get(project);
            UUID key = keys == null ? null : nextReady(keys, ready);
            if (key != null) {
                waiting.remove(key);
                taken.add(new Entry(key, project.equals(NOBODY) ? null : project));
                served.add(project);
                turns.add(project);
            }
        }
        served.forEach(this::moveToEnd);
        return taken;
    }

    private static @Nullable UUID nextReady(Iterator<UUID> keys, Predicate<UUID> ready) {
        while (keys.hasNext()) {
            UUID key = keys.next();
            if (ready.test(key)) {
                keys.remove();
                return key;
            }
        }
        return null;
    }

    private void moveToEnd(UUID project) {
        Set<UUID> keys = keysByProject.remove(project);
        if (keys != null && !keys.isEmpty()) {
            keysByProject.put(project, keys);
        }
    }
}
