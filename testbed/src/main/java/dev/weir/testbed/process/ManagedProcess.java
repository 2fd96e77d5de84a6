// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.process;

import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A process with a pid file and a log that outlives its launcher.
 *
 * <p>Its output goes straight to the log file, never through the launcher, so the launcher's death does not disturb it.
 * A process left by an earlier launcher is found by the pid file and ended before a new one starts.
 */
public final class ManagedProcess {
    private static final Duration FIRST_PAUSE = Duration.ofMillis(50);
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(5);

    private final ProcessSpec spec;
    private final PidFile pidFile;
    private @Nullable Process process;
    private boolean wanted;

    public ManagedProcess(ProcessSpec spec) {
        this.spec = spec;
        this.pidFile = new PidFile(spec.pidFile());
    }

    public ProcessSpec spec() {
        return spec;
    }

    /** Starts the process unless this object's own one lives; an earlier launcher's is killed first. */
    public synchronized void start() throws IOException, InterruptedException {
        wanted = true;
        if (alive()) {
            return;
        }
        killLeftOver();
        launch(FIRST_PAUSE);
    }

    /** SIGTERM, and SIGKILL when the process still lives after the grace time. */
    public void stop(Duration grace) throws IOException, InterruptedException {
        end(false, grace);
    }

    /** SIGINT first, for programs to which SIGTERM means "wait for your clients". */
    public void interrupt(Duration grace) throws IOException, InterruptedException {
        Optional<ProcessHandle> living;
        synchronized (this) {
            wanted = false;
            living = living();
        }
        if (living.isPresent()) {
            signal(living.get().pid(), "INT");
            awaitEnd(living.get(), grace);
        }
        end(false, Duration.ofSeconds(1));
    }

    /** SIGKILL; the process is not started again by itself. */
    public void kill() throws IOException, InterruptedException {
        end(true, Duration.ZERO);
    }

    /** SIGKILL that leaves the wish to run in place, so that a process with {@code restart} comes back at once. */
    public void crash() throws IOException, InterruptedException {
        Optional<ProcessHandle> living;
        synchronized (this) {
            living = living();
        }
        if (living.isPresent()) {
            living.get().destroyForcibly();
            awaitEnd(living.get(), Duration.ofSeconds(5));
        }
    }

    public synchronized boolean alive() {
        return process != null && isRunning(process);
    }

    /** The id of the living process. */
    public synchronized Optional<Long> pid() {
        Process current = process;
        return current != null && isRunning(current) ? Optional.of(current.pid()) : Optional.empty();
    }

    /** The exit status of the last process that this object started, when it ended. */
    public synchronized Optional<Integer> exitStatus() {
        Process current = process;
        return current == null || current.isAlive() ? Optional.empty() : Optional.of(current.exitValue());
    }

    // A killed process counts as alive to Java until it is reaped, which is a moment later.
    private static boolean isRunning(Process process) {
        return process.isAlive() && PidFile.isRunning(process.pid());
    }

    private Optional<ProcessHandle> living() throws IOException {
        Process current = process;
        if (current != null && current.isAlive()) {
            return Optional.of(current.toHandle());
        }
        return pidFile.living();
    }

    private void end(boolean force, Duration grace) throws IOException, InterruptedException {
        Optional<ProcessHandle> living;
        synchronized (this) {
            wanted = false;
            living = living();
        }
        if (living.isPresent()) {
            ProcessHandle handle = living.get();
            if (force) {
                handle.destroyForcibly();
            } else {
                handle.destroy();
            }
            if (!awaitEnd(handle, force ? Duration.ofSeconds(5) : grace)) {
                handle.destroyForcibly();
                awaitEnd(handle, Duration.ofSeconds(5));
            }
        }
        pidFile.delete();
    }

    private void killLeftOver() throws IOException, InterruptedException {
        Optional<ProcessHandle> leftOver = pidFile.living();
        if (leftOver.isPresent()) {
            leftOver.get().destroyForcibly();
            awaitEnd(leftOver.get(), Duration.ofSeconds(5));
        }
    }

    private static boolean awaitEnd(ProcessHandle handle, Duration longest) throws InterruptedException {
        // Not onExit(): for a process that is no child of ours it polls only once a second.
        long deadline = System.nanoTime() + longest.toNanos();
        while (handle.isAlive() && PidFile.startTicks(handle.pid()).isPresent()) {
            if (System.nanoTime() > deadline) {
                return false;
            }
            TimeUnit.MILLISECONDS.sleep(5);
        }
        return true;
    }

    private static void signal(long pid, String name) throws IOException, InterruptedException {
        new ProcessBuilder("kill", "-" + name, Long.toString(pid))
                .inheritIO()
                .start()
                .waitFor();
    }

    // Called with the lock held.
    private void launch(Duration pause) throws IOException {
        Files.createDirectories(spec.directory());
        Files.createDirectories(spec.log().toAbsolutePath().getParent());
        ProcessBuilder builder = new ProcessBuilder(spec.command())
                .directory(spec.directory().toFile())
                .redirectErrorStream(true)
                .redirectInput(Redirect.from(new java.io.File("/dev/null")))
                .redirectOutput(Redirect.appendTo(spec.log().toFile()));
        builder.environment().putAll(spec.environment());
        Process started = builder.start();
        process = started;
        pidFile.write(started.pid());
        if (spec.restart()) {
            long startedAt = System.nanoTime();
            Thread.ofVirtual().name("watch-" + spec.name()).start(() -> watch(started, startedAt, pause));
        }
    }

    private void watch(Process watched, long startedAt, Duration pause) {
        try {
            watched.waitFor();
            boolean ranWell = System.nanoTime() - startedAt > LONGEST_PAUSE.toNanos();
            Duration next = ranWell ? FIRST_PAUSE : pause;
            if (!ranWell && !pause.equals(FIRST_PAUSE)) {
                Thread.sleep(pause);
            }
            Duration doubled = next.multipliedBy(2);
            synchronized (this) {
                if (wanted && process == watched) {
                    launch(doubled.compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : doubled);
                }
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        } catch (IOException e) {
            System.err.println(spec.name() + " could not be started again: " + e.getMessage());
        }
    }
}
