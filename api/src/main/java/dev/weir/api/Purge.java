// SPDX-License-Identifier: Apache-2.0
package dev.weir.api;

import dev.weir.db.purge.Expired;
import dev.weir.db.session.Session;
import dev.weir.db.session.Session.DatabaseRole;
import dev.weir.db.session.Sessions;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.dao.DataAccessException;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;
import org.springframework.transaction.TransactionException;

/** Ends what its time has come for; of several instances one does the work. */
@Component
final class Purge {
    private static final Logger log = LoggerFactory.getLogger(Purge.class);
    private static final Session SESSION = new Session(DatabaseRole.OPERATOR, "weir-api", Set.of());

    private final Sessions sessions;
    private final Expired expired;

    Purge(Sessions sessions, Expired expired) {
        this.sessions = sessions;
        this.expired = expired;
    }

    @Scheduled(initialDelayString = "PT5M", fixedDelayString = "PT30M")
    void run() {
        try {
            long rows = sessions.write(SESSION, expired::purge);
            if (rows > 0) {
                log.atInfo().addKeyValue("rows", rows).log("Expired rows purged");
            }
        } catch (DataAccessException | TransactionException e) {
            // The next turn finds them too.
            log.atWarn().addKeyValue("cause", e.toString()).log("Expired rows not purged");
        }
    }
}
