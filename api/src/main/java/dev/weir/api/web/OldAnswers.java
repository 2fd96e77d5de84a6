// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.web;

import dev.weir.db.idempotency.IdempotencyKeys;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.dao.DataAccessException;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;

/** Forgets what calls with an Idempotency-Key answered more than 24 hours ago. */
@Component
final class OldAnswers {
    private static final Logger log = LoggerFactory.getLogger(OldAnswers.class);

    private final IdempotencyKeys keys;

    OldAnswers(IdempotencyKeys keys) {
        this.keys = keys;
    }

    @Scheduled(initialDelayString = "PT1M", fixedDelayString = "PT10M")
    void forget() {
        try {
            int forgotten;
            do {
                forgotten = keys.forgetOld();
            } while (forgotten > 0);
        } catch (DataAccessException e) {
            // The next turn finds them too.
            log.atWarn().addKeyValue("cause", e.toString()).log("Old answers not forgotten");
        }
    }
}
