// SPDX-License-Identifier: Apache-2.0
package dev.weir.bench.api;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.locks.LockSupport;

/** Makes calls: as fast as a number of clients can, or at a rate whatever the answers take. */
final class Load {
    /** One call; throws if it is not answered as it should. */
    @FunctionalInterface
    interface Call {
        void make() throws Exception;
    }

    private Load() {}

    /** Closed loop: each client calls again when it was answered. */
    static Latencies closed(int clients, Duration lasting, Call call) throws InterruptedException {
        long began = System.nanoTime();
        long end = began + lasting.toNanos();
        List<Future<List<Long>>> loops = new ArrayList<>();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i = 0; i < clients; i++) {
                loops.add(threads.submit(() -> {
                    List<Long> latencies = new ArrayList<>();
                    for (long start = System.nanoTime(); start < end; start = System.nanoTime()) {
                        call.make();
                        latencies.add(System.nanoTime() - start);
                    }
                    return latencies;
                }));
            }
        }
        Duration took = Duration.ofNanos(System.nanoTime() - began);
        List<Long> all = new ArrayList<>();
        for (Future<List<Long>> loop : loops) {
            all.addAll(result(loop));
        }
        return Latencies.of(all.stream().mapToLong(Long::longValue).toArray(), took);
    }

    /** Open loop: a call's latency counts from when it was due, so that a slow answer delays none that is measured. */
    static Latencies open(double perSecond, Duration lasting, Call call) throws InterruptedException {
        int calls = Math.max(20, (int) (perSecond * lasting.toNanos() / 1e9));
        long began = System.nanoTime();
        List<Future<Long>> made = new ArrayList<>(calls);
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i = 0; i < calls; i++) {
                long due = began + (long) (i * 1e9 / perSecond);
                for (long wait = due - System.nanoTime(); wait > 0; wait = due - System.nanoTime()) {
                    LockSupport.parkNanos(wait);
                }
                made.add(threads.submit(() -> {
                    call.make();
                    return System.nanoTime() - due;
                }));
            }
        }
        Duration took = Duration.ofNanos(System.nanoTime() - began);
        long[] latencies = new long[calls];
        for (int i = 0; i < calls; i++) {
            latencies[i] = result(made.get(i));
        }
        return Latencies.of(latencies, took);
    }

    private static <T> T result(Future<T> future) throws InterruptedException {
        try {
            return future.get();
        } catch (ExecutionException e) {
            throw new IllegalStateException("a call failed", e.getCause());
        }
    }
}
