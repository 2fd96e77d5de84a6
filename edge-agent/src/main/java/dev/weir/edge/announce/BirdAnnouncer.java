// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.announce;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Announces through BIRD: writes {@code bird.conf} and {@code routes.conf} and pokes the guard, which alone talks to
 * BIRD. When the agent dies, the files and thus the announcements stay.
 */
public final class BirdAnnouncer implements Announcer {
    private static final Logger log = LoggerFactory.getLogger(BirdAnnouncer.class);

    private final Path directory;
    private final GuardClient guard;
    private final Executor pokes;
    private final AtomicBoolean pokeQueued = new AtomicBoolean();
    // The agent before may have died between writing and poking.
    private volatile boolean pokeOwed = true;
    private volatile boolean failureLogged;

    /** @param pokes runs one poke at a time, away from the caller's thread */
    public BirdAnnouncer(Path directory, GuardClient guard, Executor pokes) {
        this.directory = directory;
        this.guard = guard;
        this.pokes = pokes;
    }

    @Override
    public void announce(Announcements announcements) {
        try {
            Files.createDirectories(directory);
            boolean changed = write("routes.conf", BirdFiles.routesConf(announcements));
            changed |= write("bird.conf", BirdFiles.birdConf(announcements.node()));
            pokeOwed |= changed;
        } catch (IOException e) {
            throw new UncheckedIOException("BIRD's files can't be written in " + directory, e);
        }
        retry();
    }

    @Override
    public SortedSet<Address> announcedVips() {
        try {
            return BirdFiles.vipsIn(Files.readString(directory.resolve("routes.conf")));
        } catch (NoSuchFileException e) {
            return new TreeSet<>();
        } catch (IOException e) {
            log.atWarn().setCause(e).log("routes.conf can't be read");
            return new TreeSet<>();
        }
    }

    @Override
    public void retry() {
        if (pokeOwed && Files.exists(directory.resolve("bird.conf")) && pokeQueued.compareAndSet(false, true)) {
            pokes.execute(this::poke);
        }
    }

    private void poke() {
        pokeQueued.set(false);
        pokeOwed = false;
        try {
            guard.reload();
            failureLogged = false;
        } catch (IOException e) {
            pokeOwed = true;
            if (!failureLogged) {
                failureLogged = true;
                log.atWarn()
                        .addKeyValue("reason", e.getMessage())
                        .log("the guard could not be told of new routes, trying on");
            }
        }
    }

    private boolean write(String name, String text) throws IOException {
        Path file = directory.resolve(name);
        if (Files.exists(file) && Files.readString(file).equals(text)) {
            return false;
        }
        Path aside = directory.resolve(name + ".new");
        Files.writeString(aside, text);
        Files.move(aside, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        return true;
    }
}
