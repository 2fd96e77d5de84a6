// SPDX-License-Identifier: Apache-2.0
package dev.weir.testbed.node;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HeartbeatTests {
    private static final int STARTING = 0;
    private static final int READY = 1;

    @TempDir
    Path directory;

    @Test
    void aMissingFileDoesNotBeat() throws Exception {
        assertThat(new Heartbeat(directory.resolve("none")).beats()).isFalse();
    }

    @Test
    void aReadyEngineWhoseWorkerStandsStillDoesNotBeat() throws Exception {
        assertThat(new Heartbeat(write(READY, 1)).beats()).isFalse();
    }

    @Test
    void aReadyEngineWhoseWorkerTurnsBeats() throws Exception {
        assertThat(beatsWhileTurning(READY)).isTrue();
    }

    @Test
    void aStartingEngineDoesNotBeat() throws Exception {
        assertThat(beatsWhileTurning(STARTING)).isFalse();
    }

    private boolean beatsWhileTurning(int state) throws Exception {
        Path file = write(state, 1);
        AtomicBoolean enough = new AtomicBoolean();
        Thread worker = Thread.ofPlatform().start(() -> turn(file, enough));
        try {
            return new Heartbeat(file).beats();
        } finally {
            enough.set(true);
            worker.join();
        }
    }

    private static void turn(Path file, AtomicBoolean enough) {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            for (long beat = 2; !enough.get(); beat++) {
                channel.write(
                        ByteBuffer.allocate(8)
                                .order(ByteOrder.LITTLE_ENDIAN)
                                .putLong(beat)
                                .flip(),
                        64);
                Thread.onSpinWait();
            }
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private Path write(int state, long beat) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(4160).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putLong(0, 0x3154414548524557L).putInt(8, 1).putInt(12, state).putLong(64, beat);
        return Files.write(directory.resolve("heartbeat"), bytes.array());
    }
}
