// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** An operator allows a held sweep by creating the file {@code allow-sweep} in the state directory; it counts once. */
final class SweepApproval {
    private static final Logger log = LoggerFactory.getLogger(SweepApproval.class);

    private final Path file;

    SweepApproval(Path stateDir) {
        this.file = stateDir.resolve("allow-sweep");
    }

    boolean given() {
        try {
            return Files.deleteIfExists(file);
        } catch (IOException e) {
            log.atWarn().setCause(e).log("allow-sweep can't be removed and does not count");
            return false;
        }
    }
}
