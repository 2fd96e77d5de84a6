// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.servers;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.stream.Stream;

/**
 * Directories that are made once for all clones of a user, below {@code ${XDG_CACHE_HOME:-~/.cache}/weir}.
 *
 * <p>Safe between processes: a file lock lets one make the directory while the others wait.
 */
final class Cache {
    private Cache() {}

    /** Fills an empty directory. */
    interface Filler {
        void fill(Path directory) throws IOException, InterruptedException;
    }

    static Path root() {
        String cacheHome = System.getenv("XDG_CACHE_HOME");
        Path base = cacheHome == null || cacheHome.isBlank()
                ? Path.of(System.getProperty("user.home"), ".cache")
                : Path.of(cacheHome);
        return base.resolve("weir");
    }

    /** The directory of that name, filled now if it does not exist. */
    static Path directory(String name, Filler filler) throws IOException, InterruptedException {
        Path directory = root().resolve(name);
        if (Files.isDirectory(directory)) {
            return directory;
        }
        Files.createDirectories(root());
        Path lockFile = root().resolve(name + ".lock");
        // The lock is held by the process; the monitor keeps its own threads apart.
        synchronized (Cache.class) {
            try (FileChannel channel = FileChannel.open(lockFile, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                    FileLock _ = channel.lock()) {
                if (!Files.isDirectory(directory)) {
                    Path unfinished = root().resolve(name + ".unfinished");
                    deleteTree(unfinished);
                    Files.createDirectories(unfinished);
                    filler.fill(unfinished);
                    Files.move(unfinished, directory);
                }
            }
        }
        return directory;
    }

    static void deleteTree(Path directory) throws IOException {
        if (!Files.exists(directory)) {
            return;
        }
        try (Stream<Path> paths = Files.walk(directory)) {
            paths.sorted(Comparator.reverseOrder()).forEach(path -> {
                try {
                    Files.deleteIfExists(path);
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
        }
    }
}
