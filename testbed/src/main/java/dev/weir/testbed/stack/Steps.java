// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.stack;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * Steps that run as soon as those before them are done, side by side where they may.
 *
 * <p>After a failure nothing new begins; {@link #await} tells the first one.
 */
final class Steps implements AutoCloseable {
    /** What a step does. */
    interface Action {
        void run() throws IOException, InterruptedException;
    }

    private final Progress progress;
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final List<CompletableFuture<Void>> steps = new ArrayList<>();
    private volatile boolean failed;

    Steps(Progress progress) {
        this.progress = progress;
    }

    /** Adds a step that begins when all {@code after} have succeeded. */
    @SafeVarargs
    final CompletableFuture<Void> step(String name, Action action, CompletableFuture<Void>... after) {
        CompletableFuture<Void> step = CompletableFuture.allOf(after).thenRunAsync(() -> run(name, action), threads);
        steps.add(step);
        return step;
    }

    /** Returns when all steps are done. */
    void await() throws IOException, InterruptedException {
        try {
            CompletableFuture.allOf(steps.toArray(CompletableFuture[]::new)).join();
        } catch (CompletionException e) {
            switch (e.getCause()) {
                case StepFailed failure -> throw new IOException(failure.getMessage(), failure.getCause());
                case null, default -> throw e;
            }
        }
    }

    @Override
    public void close() {
        threads.shutdownNow();
    }

    private void run(String name, Action action) {
        if (failed) {
            throw new StepFailed(name, new IOException("another step failed"));
        }
        long begin = System.nanoTime();
        progress.began(name);
        try {
            action.run();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            failed = true;
            throw new StepFailed(name, e);
        } catch (IOException | RuntimeException e) {
            failed = true;
            throw new StepFailed(name, e);
        }
        progress.done(name, Duration.ofNanos(System.nanoTime() - begin));
    }

    private static final class StepFailed extends RuntimeException {
        private static final long serialVersionUID = 1;

        StepFailed(String step, Exception cause) {
            super(step + ": " + (cause.getMessage() == null ? cause.toString() : cause.getMessage()), cause);
        }
    }
}
