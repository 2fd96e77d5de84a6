// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.store;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.edge.store.state.AgentState;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CheckedFileTests {
    @TempDir
    Path directory;

    private Path path;
    private CheckedFile<AgentState> file;

    @BeforeEach
    void open() {
        path = directory.resolve("state.bin");
        file = new CheckedFile<>(path, AgentState.parser());
    }

    private static AgentState state(long savedAt) {
        return AgentState.newBuilder().setNodeId("node_1").setSavedAtUs(savedAt).build();
    }

    @Test
    void nothingIsFoundBeforeTheFirstSave() {
        assertThat(file.load()).isEmpty();
    }

    @Test
    void newestIsFound() throws IOException {
        file.save(state(1));
        file.save(state(2));

        assertThat(file.load()).contains(state(2));
    }

    @Test
    void everyDamagedByteIsNoticedAndTheCopyBeforeIsUsed() throws IOException {
        file.save(state(1));
        file.save(state(2));
        byte[] good = Files.readAllBytes(path);

        for (int i = 0; i < good.length; i++) {
            byte[] damaged = good.clone();
            damaged[i] ^= 0x40;
            Files.write(path, damaged);
            assertThat(file.load()).as("byte " + i).contains(state(1));
        }
        for (int length = 0; length < good.length; length++) {
            Files.write(path, Arrays.copyOf(good, length));
            assertThat(file.load()).as("cut at " + length).contains(state(1));
        }
    }

    @Test
    void deathBetweenAnyTwoStepsOfASaveLeavesAState() throws IOException {
        file.save(state(1));
        file.save(state(2));
        Path aside = directory.resolve("state.bin.new");

        // Died while writing aside.
        Files.write(aside, new byte[] {1, 2, 3});
        assertThat(file.load()).contains(state(2));
        // Died after the copy before was taken away.
        Files.delete(directory.resolve("state.bin.previous"));
        assertThat(file.load()).contains(state(2));
        // Died after the newest was linked as the copy before.
        Files.createLink(directory.resolve("state.bin.previous"), path);
        assertThat(file.load()).contains(state(2));

        file.save(state(3));
        assertThat(file.load()).contains(state(3));
    }
}
