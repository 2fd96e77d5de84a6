// SPDX-License-Identifier: Apache-2.0
package dev.weir.db.session;

import java.util.Optional;
import java.util.UUID;
import java.util.function.Supplier;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.transaction.support.TransactionTemplate;

/** Runs work in one transaction with the rights of a {@link Session}. Outside of it nothing can be read. */
public final class Sessions {
    static final ScopedValue<Session> CURRENT = ScopedValue.newInstance();

    private final TransactionTemplate writing;
    private final TransactionTemplate reading;
    private final JdbcClient jdbc;

    private final SessionTransactionManager transactions;

    public Sessions(SessionTransactionManager transactions, JdbcClient jdbc) {
        this.transactions = transactions;
        this.writing = new TransactionTemplate(transactions);
        this.reading = new TransactionTemplate(transactions);
        this.reading.setReadOnly(true);
        this.jdbc = jdbc;
    }

    static Optional<Session> current() {
        return CURRENT.isBound() ? Optional.of(CURRENT.get()) : Optional.empty();
    }

    public <T> T read(Session session, Supplier<T> work) {
        return ScopedValue.where(CURRENT, session).call(() -> execute(reading, work));
    }

    public <T> T write(Session session, Supplier<T> work) {
        return ScopedValue.where(CURRENT, session).call(() -> execute(writing, work));
    }

    @SuppressWarnings("NullAway") // execute() returns null only if the work does.
    private static <T> T execute(TransactionTemplate template, Supplier<T> work) {
        return template.execute(status -> work.get());
    }

    /** Sends the current transaction's changes of entities to the database now. */
    public void flush() {
        transactions.flush();
    }

    /** Until the end of the current transaction its rows are those of this project, and new rows must be. */
    public void enterProject(UUID projectId) {
        jdbc.sql("select set_config('weir.project_id', ?, true)")
                .param(projectId.toString())
                .query(String.class)
                .single();
    }
}
