// SPDX-License-Identifier: Apache-2.0
package dev.weir.api;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.weir.db.audit.AuditLog;
import dev.weir.db.event.EventRows;
import dev.weir.db.idempotency.IdempotencyKeys;
import dev.weir.db.loadbalancer.TreeRows;
import dev.weir.db.loadbalancer.Trees;
import dev.weir.db.metrics.MetricsRows;
import dev.weir.db.outbox.Outbox;
import dev.weir.db.overlay.OverlayRows;
import dev.weir.db.pop.EnrolmentRows;
import dev.weir.db.pop.FleetRows;
import dev.weir.db.pop.NodeRows;
import dev.weir.db.prefixlist.PrefixLists;
import dev.weir.db.project.ProjectRows;
import dev.weir.db.purge.Expired;
import dev.weir.db.query.Lists;
import dev.weir.db.quota.ProjectQuotas;
import dev.weir.db.rollout.MemberStatusRows;
import dev.weir.db.rollout.RolloutRows;
import dev.weir.db.session.RoleRoutingDataSource;
import dev.weir.db.session.Session.DatabaseRole;
import dev.weir.db.session.SessionTransactionManager;
import dev.weir.db.session.Sessions;
import dev.weir.db.vip.AddressPoolRows;
import dev.weir.db.vip.DeletedVips;
import dev.weir.db.vip.VipAttachments;
import jakarta.persistence.EntityManagerFactory;
import java.util.Map;
import javax.sql.DataSource;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.persistence.autoconfigure.EntityScan;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.data.jpa.repository.config.EnableJpaRepositories;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.core.simple.JdbcClient;

/** Connects to the database as the role of each call. */
@Configuration(proxyBeanMethods = false)
@EnableConfigurationProperties(DatabaseProperties.class)
@EntityScan("dev.weir.db")
@EnableJpaRepositories("dev.weir.db")
class DatabaseConfiguration {

    @Bean(destroyMethod = "close")
    HikariDataSource apiDataSource(DatabaseProperties database) {
        return pool(database, DatabaseRole.API, database.apiPassword(), database.poolSize());
    }

    @Bean(destroyMethod = "close")
    HikariDataSource operatorDataSource(DatabaseProperties database) {
        return pool(database, DatabaseRole.OPERATOR, database.operatorPassword(), Math.max(2, database.poolSize() / 4));
    }

    @Bean
    @org.springframework.context.annotation.Primary
    DataSource dataSource(HikariDataSource apiDataSource, HikariDataSource operatorDataSource) {
        return new RoleRoutingDataSource(
                Map.of(DatabaseRole.API, apiDataSource, DatabaseRole.OPERATOR, operatorDataSource));
    }

    private static HikariDataSource pool(DatabaseProperties database, DatabaseRole role, String password, int size) {
        HikariConfig config = new HikariConfig();
        config.setPoolName(role.userName());
        config.setJdbcUrl(database.url());
        config.setUsername(role.userName());
        config.setPassword(password);
        config.setMaximumPoolSize(size);
        config.setMinimumIdle(1);
        config.setConnectionTimeout(database.connectionTimeout().toMillis());
        config.setValidationTimeout(1_000);
        config.setKeepaliveTime(30_000);
        // The service starts while the database is away.
        config.setInitializationFailTimeout(-1);
        config.addDataSourceProperty("connectTimeout", "2");
        config.addDataSourceProperty("socketTimeout", "20");
        config.addDataSourceProperty("tcpKeepAlive", "true");
        config.addDataSourceProperty("ApplicationName", "weir-api");
        // A stalled instance gives back its row locks, so that others can write the same load balancer.
        config.addDataSourceProperty("options", "-c idle_in_transaction_session_timeout=15s");
        return new HikariDataSource(config);
    }

    @Bean
    SessionTransactionManager transactionManager(EntityManagerFactory entityManagers, DataSource dataSource) {
        return new SessionTransactionManager(entityManagers, dataSource);
    }

    @Bean
    Sessions sessions(SessionTransactionManager transactions, JdbcClient jdbc) {
        return new Sessions(transactions, jdbc);
    }

    @Bean
    ProjectRows projectRows(JdbcClient jdbc) {
        return new ProjectRows(jdbc);
    }

    @Bean
    AddressPoolRows addressPoolRows(JdbcClient jdbc) {
        return new AddressPoolRows(jdbc);
    }

    @Bean
    NodeRows nodeRows(JdbcClient jdbc) {
        return new NodeRows(jdbc);
    }

    @Bean
    FleetRows fleetRows(JdbcClient jdbc) {
        return new FleetRows(jdbc);
    }

    @Bean
    EnrolmentRows enrolmentRows(JdbcClient jdbc) {
        return new EnrolmentRows(jdbc);
    }

    @Bean
    Lists lists(JdbcClient jdbc) {
        return new Lists(jdbc);
    }

    @Bean
    VipAttachments vipAttachments(JdbcClient jdbc) {
        return new VipAttachments(jdbc);
    }

    @Bean
    DeletedVips deletedVips(JdbcClient jdbc) {
        return new DeletedVips(jdbc);
    }

    @Bean
    ProjectQuotas projectQuotas(JdbcClient jdbc) {
        return new ProjectQuotas(jdbc);
    }

    @Bean
    PrefixLists prefixLists(JdbcClient jdbc) {
        return new PrefixLists(jdbc);
    }

    @Bean
    Expired expired(JdbcClient jdbc) {
        return new Expired(jdbc);
    }

    @Bean
    TreeRows treeRows(JdbcTemplate jdbc) {
        return new TreeRows(jdbc);
    }

    @Bean
    Trees trees(JdbcClient jdbc) {
        return new Trees(jdbc);
    }

    @Bean
    RolloutRows rolloutRows(JdbcClient jdbc) {
        return new RolloutRows(jdbc);
    }

    @Bean
    MemberStatusRows memberStatusRows(JdbcClient jdbc) {
        return new MemberStatusRows(jdbc);
    }

    @Bean
    MetricsRows metricsRows(JdbcClient jdbc) {
        return new MetricsRows(jdbc);
    }

    @Bean
    OverlayRows overlayRows(JdbcClient jdbc) {
        return new OverlayRows(jdbc);
    }

    @Bean
    EventRows eventRows(JdbcClient jdbc) {
        return new EventRows(jdbc);
    }

    @Bean
    Outbox outbox(JdbcClient jdbc) {
        return new Outbox(jdbc);
    }

    @Bean
    AuditLog auditLog(JdbcClient jdbc) {
        return new AuditLog(jdbc);
    }

    @Bean
    IdempotencyKeys idempotencyKeys(JdbcClient jdbc) {
        return new IdempotencyKeys(jdbc);
    }
}
