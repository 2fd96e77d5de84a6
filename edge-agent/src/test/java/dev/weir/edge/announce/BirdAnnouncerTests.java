// SPDX-License-Identifier: Apache-2.0
package dev.weir.edge.announce;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.edge.Records;
import dev.weir.messages.v1.BgpPeer;
import dev.weir.messages.v1.BgpPeerRole;
import dev.weir.messages.v1.NodeConfig;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BirdAnnouncerTests {
    @TempDir
    Path directory;

    private final List<Runnable> pokes = new ArrayList<>();
    private BirdAnnouncer announcer;

    @BeforeEach
    void open() {
        announcer = new BirdAnnouncer(directory, guard(), pokes::add);
    }

    private GuardClient guard() {
        return new GuardClient(directory.resolve("guard.sock"), Duration.ofSeconds(2));
    }

    private static Announcements announcements(NodeConfig node, String... vips) {
        TreeSet<Address> addresses = new TreeSet<>();
        Stream.of(vips).map(vip -> new Address(Records.ip(vip))).forEach(addresses::add);
        return new Announcements(node, addresses);
    }

    /** The real BIRD reads the files, with the gate open and closed. */
    private void assertBirdAccepts() throws IOException, InterruptedException {
        for (boolean open : new boolean[] {true, false}) {
            Files.writeString(directory.resolve("gate.conf"), "define weir_gate_open = " + open + ";\n");
            Process bird = new ProcessBuilder("/usr/sbin/bird", "-p", "-c", "bird.conf")
                    .directory(directory.toFile())
                    .redirectErrorStream(true)
                    .start();
            String said = new String(bird.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(bird.waitFor(10, TimeUnit.SECONDS)).isTrue();
            assertThat(bird.exitValue()).as(said).isZero();
        }
    }

    @Test
    void birdAcceptsTheFiles() throws Exception {
        announcer.announce(announcements(Records.node(), "203.0.113.10", "203.0.113.11", "2001:db8:f::10"));

        assertBirdAccepts();
    }

    @Test
    void nodeWithoutIpv6SaysNothingOfIt() throws Exception {
        NodeConfig node = Records.node().toBuilder()
                .clearDataAddressV6()
                .clearDataPrefixLengthV6()
                .build();

        announcer.announce(announcements(node, "203.0.113.10", "2001:db8:f::10"));

        assertBirdAccepts();
        assertThat(announcer.announcedVips()).containsExactly(new Address(Records.ip("203.0.113.10")));
        assertThat(Files.readString(directory.resolve("bird.conf"))).doesNotContain("ipv6");
    }

    @Test
    void birdAcceptsTheFilesOfANodeThatAnnouncesNothing() throws Exception {
        announcer.announce(announcements(
                Records.node().toBuilder().clearSnatRanges().clearBgp().build()));

        assertBirdAccepts();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "7 \"; protocol kernel { ipv4 { export all; }; } #", "Router-Ä.1", "x\ny"})
    void peersNameCannotChangeTheFile(String name) throws Exception {
        NodeConfig node = Records.node().toBuilder()
                .setBgp(Records.node().getBgp().toBuilder()
                        .addPeers(BgpPeer.newBuilder()
                                .setName(name)
                                .setAddress(Records.ip("10.1.1.3"))
                                .setAsn(64530)
                                .setRole(BgpPeerRole.BGP_PEER_ROLE_UPSTREAM)))
                .build();

        announcer.announce(announcements(node, "203.0.113.10"));

        assertBirdAccepts();
        assertThat(Files.readString(directory.resolve("bird.conf"))).doesNotContain("kernel {");
    }

    @Test
    void whatWasWrittenIsReadBackByTheNextAgent() {
        Announcements some = announcements(Records.node(), "203.0.113.10", "203.0.113.200", "2001:db8:f::10");
        announcer.announce(some);

        BirdAnnouncer next = new BirdAnnouncer(directory, guard(), pokes::add);

        assertThat(next.announcedVips()).isEqualTo(some.vips());
    }

    @Test
    void guardIsToldOnceAndAgainOnlyWhenSomethingChanged() throws Exception {
        try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            server.bind(UnixDomainSocketAddress.of(directory.resolve("guard.sock")));
            List<String> asked = answer(server, "ok\n");

            announcer.announce(announcements(Records.node(), "203.0.113.10"));
            runPokes();
            announcer.announce(announcements(Records.node(), "203.0.113.10"));
            announcer.retry();
            runPokes();
            assertThat(asked).containsExactly("reload\n");

            announcer.announce(announcements(Records.node()));
            runPokes();
            assertThat(asked).containsExactly("reload\n", "reload\n");
        }
    }

    @Test
    void guardThatIsAwayIsToldLater() throws Exception {
        announcer.announce(announcements(Records.node(), "203.0.113.10"));
        runPokes();

        try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            server.bind(UnixDomainSocketAddress.of(directory.resolve("guard.sock")));
            List<String> asked = answer(server, "ok\n");
            announcer.retry();
            runPokes();

            assertThat(asked).containsExactly("reload\n");
        }
    }

    @Test
    void refusalOfTheGuardIsAnErrorWithItsReason() throws Exception {
        try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            server.bind(UnixDomainSocketAddress.of(directory.resolve("guard.sock")));
            answer(server, "error bird.conf:3 syntax error\n");

            assertThatThrownBy(() -> guard().reload()).hasMessageContaining("bird.conf:3 syntax error");
        }
    }

    @Test
    void guardThatHangsDoesNotHoldTheAgent() throws Exception {
        try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            server.bind(UnixDomainSocketAddress.of(directory.resolve("guard.sock")));

            assertThatThrownBy(() -> new GuardClient(directory.resolve("guard.sock"), Duration.ofMillis(100)).reload())
                    .hasMessageContaining("did not answer");
        }
    }

    private void runPokes() {
        List<Runnable> due = List.copyOf(pokes);
        pokes.clear();
        due.forEach(Runnable::run);
    }

    private static List<String> answer(ServerSocketChannel server, String line) {
        List<String> asked = Collections.synchronizedList(new ArrayList<>());
        Thread.ofPlatform().daemon().start(() -> {
            try {
                while (true) {
                    try (SocketChannel connection = server.accept()) {
                        ByteBuffer request = ByteBuffer.allocate(100);
                        connection.read(request);
                        asked.add(new String(request.array(), 0, request.position(), StandardCharsets.US_ASCII));
                        connection.write(ByteBuffer.wrap(line.getBytes(StandardCharsets.US_ASCII)));
                    }
                }
            } catch (IOException e) {
                // The test is over.
                return;
            }
        });
        return asked;
    }
}
