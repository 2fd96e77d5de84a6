// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.traffic;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Objects;

/** A Python program that lies in the jar beside this class and is unpacked to run. */
final class PackagedScript {
    /** Debian's own interpreter: a {@code python3} found first on the path may be a slow wrapper. */
    static final String PYTHON = "/usr/bin/python3";

    private PackagedScript() {}

    /** Puts the newest version into {@code directory}, in one step. */
    static Path unpack(String name, Path directory) throws IOException {
        Files.createDirectories(directory);
        Path next = Files.createTempFile(directory, name, ".next");
        try (InputStream script = Objects.requireNonNull(PackagedScript.class.getResourceAsStream(name), name)) {
            Files.copy(script, next, StandardCopyOption.REPLACE_EXISTING);
        }
        return Files.move(
                next, directory.resolve(name), StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
    }
}
