// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge;

import dev.weir.edge.stream.Batch;
import dev.weir.edge.stream.KafkaSource;
import dev.weir.edge.stream.ReadPosition;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.function.Supplier;

/** Brings what the stream reads onto the agent's thread. */
final class AgentFeed implements KafkaSource.Sink {
    private final Agent agent;
    private final Duration tombstoneRetention;

    AgentFeed(Agent agent, Duration tombstoneRetention) {
        this.agent = agent;
        this.tombstoneRetention = tombstoneRetention;
    }

    @Override
    public Future<Optional<ReadPosition>> resume(String configTopicId, String popsTopicId, boolean fromStart) {
        return onAgent(() -> agent.resume(configTopicId, popsTopicId, tombstoneRetention, fromStart));
    }

    @Override
    public Future<?> take(Batch batch) {
        return onAgent(() -> {
            agent.take(batch);
            return Boolean.TRUE;
        });
    }

    private <T> Future<T> onAgent(Supplier<T> task) {
        CompletableFuture<T> done = new CompletableFuture<>();
        agent.post(() -> {
            try {
                done.complete(task.get());
            } catch (RuntimeException e) {
                done.completeExceptionally(e);
                throw e;
            }
        });
        return done;
    }
}
