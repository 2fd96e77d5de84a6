// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.web;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.SQLException;
import org.hibernate.TransactionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.orm.jpa.JpaSystemException;

class DatabaseFaultsTests {
    @Test
    void rollbackOnABrokenConnectionMeansThatTheDatabaseIsAway() {
        JpaSystemException failure = new JpaSystemException(new TransactionException(
                "Unable to rollback against JDBC Connection", new SQLException("Connection is closed")));

        assertThat(DatabaseFaults.unavailable(failure)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"08006", "57P01", "57P02", "57P03", "53300"})
    void statesOfALostConnectionMeanThatTheDatabaseIsAway(String state) {
        assertThat(DatabaseFaults.unavailable(new IllegalStateException(new SQLException("gone", state))))
                .isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"23505", "40001", "57014"})
    void otherStatesDoNot(String state) {
        assertThat(DatabaseFaults.unavailable(new IllegalStateException(new SQLException("refused", state))))
                .isFalse();
    }
}
