// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.store;

import dev.weir.edge.reconcile.RecordVersion;
import dev.weir.edge.store.state.AgentState;
import dev.weir.edge.store.state.StoredKey;
import dev.weir.edge.store.state.StoredPops;
import dev.weir.edge.store.state.StoredVerdict;
import dev.weir.edge.stream.KeyState;
import dev.weir.edge.stream.ReadPosition;
import dev.weir.edge.stream.RecordBook;
import dev.weir.messages.v1.LoadBalancerConfig;
import dev.weir.messages.v1.PopsRecord;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** The last good state of one node: what the agent runs on while nobody can be asked. */
public final class StateStore {
    private final String nodeId;
    private final CheckedFile<AgentState> file;

    public StateStore(Path directory, String nodeId) {
        this.nodeId = nodeId;
        this.file = new CheckedFile<>(directory.resolve("agent-state.bin"), AgentState.parser());
    }

    /** Returns empty if there is none, or if the directory belonged to another node. */
    public Optional<AgentState> load() {
        return file.load().filter(state -> state.getNodeId().equals(nodeId));
    }

    public void save(AgentState state) throws IOException {
        file.save(state);
    }

    /** @param running what runs under keys whose newest record was rejected */
    public AgentState snapshot(
            RecordBook book,
            ReadPosition position,
            List<StoredVerdict> verdicts,
            Collection<LoadBalancerConfig> running,
            long nowUs) {
        AgentState.Builder state = AgentState.newBuilder()
                .setNodeId(nodeId)
                .setSavedAtUs(nowUs)
                .setInContactAtUs(position.inContactAtUs())
                .setConfigTopicId(position.configTopicId())
                .setPopsTopicId(position.popsTopicId())
                .putAllConfigNextOffsets(position.configNextOffsets())
                .setPopsNextOffset(position.popsNextOffset())
                .addAllRunning(running);
        verdicts.stream()
                .filter(verdict -> book.key(verdict.getLoadBalancerId()) != null)
                .forEach(state::addVerdicts);
        book.keys().forEach(key -> state.addKeys(stored(key)));
        book.pops()
                .forEach((key, record) ->
                        state.addPops(StoredPops.newBuilder().setKey(key).setRecord(record)));
        return state.build();
    }

    private static StoredKey stored(KeyState key) {
        StoredKey.Builder stored = StoredKey.newBuilder()
                .setKey(key.key())
                .setPartition(key.partition())
                .setOffset(key.offset())
                .setEpoch(key.version().epoch())
                .setSequence(key.version().sequence())
                .setDeleted(key.deleted())
                .setTombstone(key.tombstone())
                .setConfirmed(key.confirmed());
        if (key.record() != null) {
            stored.setRecord(key.record());
        }
        return stored.build();
    }

    /** Fills the book and says how far it reaches. */
    public static ReadPosition restore(AgentState state, RecordBook book) {
        List<KeyState> keys = new ArrayList<>();
        for (StoredKey stored : state.getKeysList()) {
            keys.add(new KeyState(
                    stored.getKey(),
                    stored.getPartition(),
                    stored.getOffset(),
                    new RecordVersion(stored.getEpoch(), stored.getSequence()),
                    stored.hasRecord() ? stored.getRecord() : null,
                    stored.getDeleted(),
                    stored.getTombstone(),
                    stored.getConfirmed()));
        }
        Map<String, PopsRecord> pops = new HashMap<>();
        state.getPopsList().forEach(stored -> pops.put(stored.getKey(), stored.getRecord()));
        book.restore(keys, pops);
        return new ReadPosition(
                state.getConfigTopicId(),
                state.getPopsTopicId(),
                new TreeMap<>(state.getConfigNextOffsetsMap()),
                state.getPopsNextOffset(),
                state.getInContactAtUs());
    }
}
