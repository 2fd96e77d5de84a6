// SPDX-License-Identifier: Apache-2.0
package dev.weir.db.session;

import jakarta.persistence.EntityManager;
import jakarta.persistence.EntityManagerFactory;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.UUID;
import java.util.stream.Collectors;
import javax.sql.DataSource;
import org.springframework.dao.DataAccessResourceFailureException;
import org.springframework.dao.support.DataAccessUtils;
import org.springframework.jdbc.datasource.DataSourceUtils;
import org.springframework.orm.jpa.EntityManagerFactoryUtils;
import org.springframework.orm.jpa.JpaTransactionManager;
import org.springframework.transaction.TransactionDefinition;

/** Tells row-level security at the beginning of each transaction who acts. */
public final class SessionTransactionManager extends JpaTransactionManager {
    private final DataSource source;

    public SessionTransactionManager(EntityManagerFactory entityManagers, DataSource source) {
        super(entityManagers);
        setDataSource(source);
        this.source = source;
    }

    @Override
    protected void doBegin(Object transaction, TransactionDefinition definition) {
        super.doBegin(transaction, definition);
        Sessions.current().ifPresent(session -> {
            try {
                announce(session);
            } catch (SQLException | RuntimeException e) {
                // The base class knows nothing of a failure after it began.
                doCleanupAfterCompletion(transaction);
                throw new DataAccessResourceFailureException("could not begin a transaction", e);
            }
        });
    }

    private void announce(Session session) throws SQLException {
        Connection connection = DataSourceUtils.getConnection(source);
        String organizations =
                session.organizationIds().stream().map(UUID::toString).collect(Collectors.joining(","));
        try (PreparedStatement statement = connection.prepareStatement(
                "select set_config('weir.subject', ?, true), set_config('weir.organization_ids', ?, true)")) {
            statement.setString(1, session.subject());
            statement.setString(2, organizations);
            statement.execute();
        }
    }

    /** Sends changes of entities to the database; fails as their commit would. */
    void flush() {
        EntityManager entities = EntityManagerFactoryUtils.getTransactionalEntityManager(obtainEntityManagerFactory());
        if (entities == null) {
            throw new IllegalStateException("no transaction");
        }
        try {
            entities.flush();
        } catch (RuntimeException e) {
            throw DataAccessUtils.translateIfNecessary(e, getJpaDialect());
        }
    }
}
