// SPDX-License-Identifier: Apache-2.0
package dev.weir.provisioner.outbox;

import dev.weir.provisioner.Backoff;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;
import org.springframework.dao.DataAccessException;
import org.springframework.stereotype.Component;

/** Waits for PostgreSQL to say that something was committed, and looks by itself each 200 ms. */
@Component
final class OutboxListener implements SmartLifecycle {
    private static final Logger log = LoggerFactory.getLogger(OutboxListener.class);
    private static final int POLL_MS = 200;
    private static final Duration CLEAN_UP_EACH = Duration.ofMinutes(5);

    private final DataSource dataSource;
    private final OutboxStore store;
    private final List<OutboxSink> sinks;
    private volatile boolean running;
    private @Nullable Thread thread;

    OutboxListener(DataSource dataSource, OutboxStore store, List<OutboxSink> sinks) {
        this.dataSource = dataSource;
        this.store = store;
        this.sinks = sinks;
    }

    @Override
    public void start() {
        running = true;
        thread = Thread.ofPlatform().name("outbox-listener").start(this::run);
    }

    private void run() {
        Backoff backoff = new Backoff(Duration.ofMillis(50), Duration.ofSeconds(2), ThreadLocalRandom.current());
        while (running) {
            try (Connection connection = dataSource.getConnection()) {
                listen(connection, backoff);
            } catch (SQLException | DataAccessException e) {
                if (!running) {
                    return;
                }
                Duration wait = backoff.next();
                log.atWarn()
                        .addKeyValue("cause", e.getMessage())
                        .addKeyValue("retry_in_ms", wait.toMillis())
                        .log("outbox cannot be read");
                try {
                    Thread.sleep(wait);
                } catch (InterruptedException interrupted) {
                    return;
                }
            }
        }
    }

    private void listen(Connection connection, Backoff backoff) throws SQLException {
        connection.setAutoCommit(true);
        try (Statement statement = connection.createStatement()) {
            statement.execute("listen weir_outbox");
            try {
                PGConnection notifications = connection.unwrap(PGConnection.class);
                long cleanedUpAt = System.nanoTime();
                while (running) {
                    store.pending().forEach(this::dispatch);
                    backoff.reset();
                    if (System.nanoTime() - cleanedUpAt > CLEAN_UP_EACH.toNanos()) {
                        store.forgetDone();
                        cleanedUpAt = System.nanoTime();
                    }
                    // Several commits in between wake this up once.
                    notifications.getNotifications(POLL_MS);
                }
            } finally {
                if (!connection.isClosed()) {
                    statement.execute("unlisten weir_outbox");
                }
            }
        }
    }

    private void dispatch(OutboxStore.Pending pending) {
        for (OutboxSink sink : sinks) {
            if (sink.takes(pending.kind())) {
                sink.offer(pending.kind(), pending.key(), pending.projectId());
            }
        }
    }

    @Override
    public void stop() {
        running = false;
        Thread current = thread;
        if (current != null) {
            try {
                current.join(Duration.ofSeconds(1));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    @Override
    public boolean isRunning() {
        return running;
    }
}
