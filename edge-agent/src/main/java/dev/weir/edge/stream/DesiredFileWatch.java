// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.stream;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Reads the file of records again whenever it changes; a wrong one changes nothing. */
public final class DesiredFileWatch implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(DesiredFileWatch.class);
    private static final long LOOK_MS = 100;

    private final Path file;
    private final Consumer<DesiredFile> changed;
    private final Thread thread;

    public DesiredFileWatch(Path file, Consumer<DesiredFile> changed) {
        this.file = file;
        this.changed = changed;
        this.thread = Thread.ofPlatform().daemon().name("desired-file").unstarted(this::run);
    }

    public void start() {
        thread.start();
    }

    @Override
    public void close() {
        thread.interrupt();
    }

    private record Mark(FileTime modified, long size, String inode) {}

    private void run() {
        Mark seen = null;
        try {
            while (true) {
                Mark now = mark();
                if (now != null && !now.equals(seen)) {
                    seen = now;
                    read();
                }
                Thread.sleep(LOOK_MS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void read() {
        try {
            DesiredFile content = DesiredFile.read(file);
            log.atInfo().addKeyValue("load_balancers", content.config().size()).log("desired file read");
            changed.accept(content);
        } catch (IOException e) {
            log.atError()
                    .addKeyValue("file", file)
                    .addKeyValue("reason", e.getMessage())
                    .log("desired file is wrong, what runs stays");
        }
    }

    private @Nullable Mark mark() {
        try {
            BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
            return new Mark(attributes.lastModifiedTime(), attributes.size(), String.valueOf(attributes.fileKey()));
        } catch (NoSuchFileException e) {
            return null;
        } catch (IOException e) {
            log.atWarn().addKeyValue("file", file).setCause(e).log("desired file can't be read");
            return null;
        }
    }
}
