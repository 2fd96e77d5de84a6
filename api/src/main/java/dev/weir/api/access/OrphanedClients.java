// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.access;

import dev.weir.api.web.ProblemException;
import dev.weir.compiler.ResourceId;
import dev.weir.db.project.ServiceAccount;
import dev.weir.db.project.ServiceAccountRepository;
import dev.weir.db.session.Session;
import dev.weir.db.session.Session.DatabaseRole;
import dev.weir.db.session.Sessions;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;

/**
 * Clears away what service accounts left behind: clients in Keycloak without a row, and rows whose creation never ended.
 * Each step is harmless when repeated, so instances need not agree on who does it.
 */
@Component
final class OrphanedClients {
    private static final Logger log = LoggerFactory.getLogger(OrphanedClients.class);
    private static final Session SELF = new Session(DatabaseRole.OPERATOR, "weir-api", Set.of());
    // Longer than any call to Keycloak: what is older has nobody working on it.
    private static final Duration ABANDONED_AFTER = Duration.ofMinutes(2);

    private final ServiceAccountRepository accounts;
    private final IdentityProvider identities;
    private final Sessions sessions;
    private final Clock clock;

    OrphanedClients(ServiceAccountRepository accounts, IdentityProvider identities, Sessions sessions, Clock clock) {
        this.accounts = accounts;
        this.identities = identities;
        this.sessions = sessions;
        this.clock = clock;
    }

    @Scheduled(
            initialDelayString = "${weir.access.orphans-interval}",
            fixedDelayString = "${weir.access.orphans-interval}")
    void clear() {
        try {
            // Clients first: one whose row is made meanwhile is not among them.
            List<String> clients = identities.clientIds(
                    ResourceId.SERVICE_ACCOUNT.format(new UUID(0, 0)).substring(0, 3));
            sessions.read(SELF, () -> accounts.creatingSince(clock.instant().minus(ABANDONED_AFTER)))
                    .forEach(this::forget);
            Set<String> known = sessions.read(SELF, accounts::clientIds);
            clients.stream()
                    .filter(client -> ResourceId.SERVICE_ACCOUNT.matches(client) && !known.contains(client))
                    .forEach(client -> {
                        identities.deleteClient(client);
                        log.atInfo().addKeyValue("client", client).log("Orphaned client deleted");
                    });
        } catch (ProblemException e) {
            // Keycloak is away; it said so already.
        } catch (RuntimeException e) {
            log.atWarn().addKeyValue("cause", e.toString()).log("Orphaned clients not cleared away");
        }
    }

    private void forget(ServiceAccount account) {
        sessions.write(SELF, () -> {
            accounts.findByProjectIdAndId(account.projectId(), account.id())
                    .filter(found -> !found.active())
                    .ifPresent(accounts::delete);
            return account;
        });
        log.atInfo()
                .addKeyValue("service_account", account.id())
                .log("Service account that was never finished deleted");
    }
}
