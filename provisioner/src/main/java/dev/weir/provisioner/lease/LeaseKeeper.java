// SPDX-License-Identifier: Apache-2.0
package dev.weir.provisioner.lease;

import dev.weir.provisioner.ProvisionerProperties;
import dev.weir.provisioner.kafka.Topic;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;
import org.springframework.dao.DataAccessException;
import org.springframework.stereotype.Component;

/**
 * Splits the partitions among the living instances: each renews what it has, takes what is free up to its fair share, and
 * hands back what it has above that. A dead instance's leases expire and are taken by the others.
 */
@Component
final class LeaseKeeper implements SmartLifecycle {
    private static final Logger log = LoggerFactory.getLogger(LeaseKeeper.class);

    private record Place(Topic topic, int partition) {}

    private final UUID instance = UUID.randomUUID();
    private final LeaseStore store;
    private final Map<Topic, LeaseWorker> workers = new EnumMap<>(Topic.class);
    private final String instanceName;
    private final Duration duration;
    private final Duration tick;
    private final MeterRegistry meters;

    // Touched by the keeper's thread only.
    private final Map<Place, Lease> held = new HashMap<>();
    private final List<Lease> leaving = new ArrayList<>();
    private boolean rowsExist;
    private boolean databaseAway;

    private volatile boolean running;
    private @Nullable Thread thread;

    LeaseKeeper(LeaseStore store, List<LeaseWorker> workers, ProvisionerProperties properties, MeterRegistry meters) {
        this.store = store;
        workers.forEach(worker -> this.workers.put(worker.topic(), worker));
        this.instanceName = properties.instanceName();
        this.duration = properties.lease().duration();
        this.tick = properties.lease().tick();
        this.meters = meters;
    }

    @Override
    public void start() {
        running = true;
        Set<Place> gauge = held.keySet();
        meters.gauge("weir_provisioner_leases_held", gauge, Set::size);
        thread = Thread.ofPlatform().name("lease-keeper").start(this::run);
    }

    private void run() {
        while (running) {
            try {
                turn();
                if (databaseAway) {
                    databaseAway = false;
                    log.atInfo().log("leases are kept again");
                }
            } catch (DataAccessException | org.springframework.transaction.TransactionException e) {
                if (!databaseAway) {
                    databaseAway = true;
                    log.atWarn().addKeyValue("cause", e.getMessage()).log("leases cannot be kept: PostgreSQL is away");
                }
            } catch (RuntimeException e) {
                log.atError().setCause(e).log("keeping leases failed");
            }
            try {
                Thread.sleep(tick);
            } catch (InterruptedException e) {
                break;
            }
        }
        handEverythingBack();
    }

    private void turn() {
        if (!rowsExist) {
            store.createRows(workers.keySet());
            rowsExist = true;
        }
        int living = store.beat(instance, instanceName, duration);
        renew();
        freeWhatIsIdle();
        for (LeaseWorker worker : workers.values()) {
            balance(worker, living);
        }
    }

    private void renew() {
        // Measured before the question: PostgreSQL's clock starts later, so the lease here never outlasts the one
        // there.
        long validUntil = System.nanoTime() + duration.toNanos();
        Set<Place> renewed = new HashSet<>();
        for (LeaseStore.Row row : store.renew(instance, duration)) {
            Place place = place(row);
            Lease lease = held.get(place);
            if (lease != null && lease.epoch() == row.epoch()) {
                lease.renewedUntil(validUntil);
                renewed.add(place);
            }
        }
        Iterator<Map.Entry<Place, Lease>> leases = held.entrySet().iterator();
        while (leases.hasNext()) {
            Map.Entry<Place, Lease> entry = leases.next();
            if (!renewed.contains(entry.getKey())) {
                log.atWarn().addKeyValue("lease", entry.getValue()).log("lease lost to another instance");
                worker(entry.getKey().topic()).released(entry.getValue());
                leases.remove();
            }
        }
    }

    private void balance(LeaseWorker worker, int living) {
        Topic topic = worker.topic();
        int fair = Math.ceilDiv(topic.partitions(), Math.max(1, living));
        List<Lease> mine =
                held.values().stream().filter(lease -> lease.topic() == topic).toList();
        long stillMine =
                mine.size() + leaving.stream().filter(l -> l.topic() == topic).count();
        if (stillMine < fair) {
            long validUntil = System.nanoTime() + duration.toNanos();
            for (LeaseStore.Row row : store.acquire(instance, topic, (int) (fair - stillMine), duration)) {
                Lease lease = new Lease(topic, row.partition(), instance, row.epoch(), validUntil);
                held.put(place(row), lease);
                log.atInfo()
                        .addKeyValue("lease", lease)
                        .addKeyValue("epoch", row.epoch())
                        .log("lease acquired");
                worker.acquired(lease);
            }
        }
        for (Lease surplus : mine.subList(Math.min(mine.size(), fair), mine.size())) {
            held.remove(new Place(topic, surplus.partition()));
            worker.released(surplus);
            leaving.add(surplus);
        }
    }

    private void freeWhatIsIdle() {
        Iterator<Lease> leases = leaving.iterator();
        while (leases.hasNext()) {
            Lease lease = leases.next();
            if (worker(lease.topic()).idle(lease)) {
                store.free(lease);
                leases.remove();
                log.atInfo().addKeyValue("lease", lease).log("lease handed back");
            }
        }
    }

    private void handEverythingBack() {
        // The interrupt has done its work; the rest must not be cut short by it.
        boolean ignored = Thread.interrupted();
        held.values().forEach(lease -> worker(lease.topic()).released(lease));
        leaving.addAll(held.values());
        held.clear();
        long deadline = System.nanoTime() + duration.toNanos();
        try {
            while (!leaving.isEmpty() && System.nanoTime() - deadline < 0) {
                freeWhatIsIdle();
                Thread.sleep(20);
            }
            store.forget(instance);
        } catch (DataAccessException e) {
            log.atWarn().addKeyValue("cause", e.getMessage()).log("leases are left to expire");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private LeaseWorker worker(Topic topic) {
        LeaseWorker worker = workers.get(topic);
        if (worker == null) {
            throw new IllegalStateException("nobody works on " + topic);
        }
        return worker;
    }

    private static Place place(LeaseStore.Row row) {
        for (Topic topic : Topic.values()) {
            if (topic.topicName().equals(row.topic())) {
                return new Place(topic, row.partition());
            }
        }
        throw new IllegalStateException("lease of an unknown topic " + row.topic());
    }

    @Override
    public void stop() {
        running = false;
        Thread current = thread;
        if (current != null) {
            current.interrupt();
            try {
                current.join(duration.multipliedBy(2));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    @Override
    public boolean isRunning() {
        return running;
    }

    /** Starts after and stops before everything that works under a lease. */
    @Override
    public int getPhase() {
        return Integer.MAX_VALUE - 1;
    }
}
