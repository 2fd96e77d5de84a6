// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.process;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Optional;

/** A process id with the process's start time, so that a number used again by another process is never taken for it. */
public record PidFile(Path path) {

    /** Replaces the file by the identity of a living process. */
    public void write(long pid) throws IOException {
        Files.createDirectories(path.toAbsolutePath().getParent());
        Path next = path.resolveSibling(path.getFileName() + ".next");
        Files.writeString(next, pid + " " + startTicks(pid).orElse("0") + "\n");
        Files.move(next, path, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
    }

    public void delete() throws IOException {
        Files.deleteIfExists(path);
    }

    /** The process that the file names, if it still lives. */
    public Optional<ProcessHandle> living() throws IOException {
        String[] words;
        try {
            words = Files.readString(path).strip().split(" ");
        } catch (NoSuchFileException _) {
            return Optional.empty();
        }
        if (words.length != 2 || !words[0].chars().allMatch(Character::isDigit) || words[0].isEmpty()) {
            return Optional.empty();
        }
        long pid = Long.parseLong(words[0]);
        return startTicks(pid).filter(words[1]::equals).flatMap(_ -> ProcessHandle.of(pid));
    }

    /** Whether the process exists and is no zombie. */
    public static boolean isRunning(long pid) {
        return startTicks(pid).isPresent();
    }

    /** Field 22 of {@code /proc/PID/stat}; empty for a process that is gone or only waits to be reaped. */
    static Optional<String> startTicks(long pid) {
        try {
            String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
            // The command name may hold blanks and brackets; the fields proper follow its last bracket.
            String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
            return fields[0].equals("Z") ? Optional.empty() : Optional.of(fields[19]);
        } catch (IOException _) {
            return Optional.empty();
        }
    }
}
