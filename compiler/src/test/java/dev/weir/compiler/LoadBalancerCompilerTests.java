// SPDX-License-Identifier: Apache-2.0
package dev.weir.compiler;

import static dev.weir.compiler.LoadBalancerTree.ForwardingModeKind.DNAT;
import static dev.weir.compiler.LoadBalancerTree.ForwardingModeKind.SNAT;
import static dev.weir.compiler.LoadBalancerTree.TransportProtocol.TCP;
import static dev.weir.compiler.LoadBalancerTree.TransportProtocol.UDP;
import static dev.weir.compiler.Trees.EVERYWHERE;
import static dev.weir.compiler.Trees.KEEP;
import static dev.weir.compiler.Trees.POP_1;
import static dev.weir.compiler.Trees.POP_2;
import static dev.weir.compiler.Trees.fixed;
import static dev.weir.compiler.Trees.id;
import static dev.weir.compiler.Trees.input;
import static dev.weir.compiler.Trees.listener;
import static dev.weir.compiler.Trees.member;
import static dev.weir.compiler.Trees.pool;
import static dev.weir.compiler.Trees.tree;
import static dev.weir.compiler.Trees.vip;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.TextFormat;
import dev.weir.compiler.LoadBalancerTree.ListenerSpec;
import dev.weir.compiler.LoadBalancerTree.MemberSpec;
import dev.weir.compiler.LoadBalancerTree.PlacementKind;
import dev.weir.compiler.LoadBalancerTree.PlacementSpec;
import dev.weir.compiler.LoadBalancerTree.PoolSpec;
import dev.weir.compiler.LoadBalancerTree.TransportProtocol;
import dev.weir.messages.v1.LoadBalancerConfig;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.json.JsonMapper;

class LoadBalancerCompilerTests {
    private static final Path GOLDEN = Path.of("src/test/resources/golden");

    private final LoadBalancerCompiler compiler = new LoadBalancerCompiler();

    /** The engine's tests decode the same bytes. After a wanted change: run with {@code -Dweir.golden.write=true}. */
    @ParameterizedTest
    @ValueSource(strings = {"web", "tunnel"})
    void compilesTreesToTheGoldenConfigurations(String name) throws IOException {
        LoadBalancerTree tree = read(name + ".json");
        CompileInput input = new CompileInput(
                        tree,
                        7,
                        List.of(vip(21, "203.0.113.10"), vip(22, "2001:db8::10")),
                        List.of(POP_1, POP_2),
                        Trees.COMMITTED_AT)
                .withPrefixLists(Set.of(id(0x71), id(0x72), id(0x73)))
                .withServingSince(ServingSince.of(tree, Map.of(id(0x51), 1L), Trees.COMMITTED_AT));

        LoadBalancerConfig config = compiled(input);

        String text = TextFormat.printer().printToString(config);
        if (Boolean.getBoolean("weir.golden.write")) {
            Files.writeString(GOLDEN.resolve(name + ".textproto"), text);
            Files.write(GOLDEN.resolve(name + ".pb"), config.toByteArray());
        }
        assertThat(text).isEqualTo(Files.readString(GOLDEN.resolve(name + ".textproto")));
        assertThat(config.toByteArray()).isEqualTo(Files.readAllBytes(GOLDEN.resolve(name + ".pb")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"web", "tunnel"})
    void treeSurvivesItsJson(String name) throws IOException {
        LoadBalancerTree tree = read(name + ".json");
        JsonMapper mapper = JsonMapper.builder().build();

        assertThat(mapper.readValue(mapper.writeValueAsString(tree), LoadBalancerTree.class))
                .isEqualTo(tree);
    }

    @Test
    void servingSinceIsHandedOnWhileAMemberServes() {
        MemberSpec serving = member(51, "10.0.0.1", KEEP);
        MemberSpec resting = new MemberSpec(id(52), "rests", "10.0.0.2", KEEP, 0, true, 0, List.of());
        LoadBalancerTree tree = tree(
                EVERYWHERE,
                List.of(listener(31, TCP, 80, 80, 41)),
                List.of(pool(41, SNAT, serving, member(53, "10.0.0.3", KEEP), resting)));

        assertThat(ServingSince.of(tree, Map.of(id(51), 5L, id(52), 6L), Trees.COMMITTED_AT))
                .isEqualTo(Map.of(id(51), 5L, id(53), 1795435200000123L));
        assertThat(ServingSince.of(tree, null, Trees.COMMITTED_AT)).isEqualTo(Map.of(id(51), 0L, id(53), 0L));
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void orderOfTheTreeDoesNotMatter(long seed) {
        Random random = new Random(seed);
        List<ListenerSpec> listeners = new ArrayList<>();
        List<PoolSpec> pools = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            MemberSpec[] members = new MemberSpec[random.nextInt(30)];
            for (int m = 0; m < members.length; m++) {
                members[m] = member(10_000L + i * 100 + m, "10.0.%d.%d".formatted(i, m), KEEP);
            }
            pools.add(pool(400 + i, SNAT, members));
            listeners.add(listener(300 + i, random.nextBoolean() ? TCP : UDP, 1000 + i, 1000 + i, 400 + i));
        }
        LoadBalancerConfig config = compiled(input(tree(EVERYWHERE, listeners, pools), vip(21, "203.0.113.10")));

        Collections.shuffle(listeners, random);
        Collections.shuffle(pools, random);
        LoadBalancerConfig shuffled = compiled(input(tree(EVERYWHERE, listeners, pools), vip(21, "203.0.113.10")));

        assertThat(shuffled.toByteString()).isEqualTo(config.toByteString());
    }

    @Test
    void placementByLabelsFollowsTheLabels() {
        PlacementSpec north = new PlacementSpec(PlacementKind.LABELS, List.of(), Map.of("region", "north"));
        PlacementSpec unlabelled = new PlacementSpec(PlacementKind.LABELS, List.of(), Map.of());
        PlacementSpec named = new PlacementSpec(PlacementKind.NAMED, List.of(POP_2.id()), Map.of());

        assertThat(Placement.popIds(north, List.of(POP_2, POP_1))).containsExactly(POP_1.id());
        assertThat(Placement.popIds(unlabelled, List.of(POP_1, POP_2))).isEmpty();
        assertThat(Placement.popIds(named, List.of(POP_1, POP_2))).containsExactly(POP_2.id());
        assertThat(Placement.popIds(EVERYWHERE, List.of(POP_2, POP_1))).containsExactly(POP_1.id(), POP_2.id());
    }

    /** Compares the mappings' interval arithmetic with a table of every single port. */
    @ParameterizedTest
    @ValueSource(longs = {11, 12, 13, 14, 15, 16, 17, 18, 19, 20})
    void conflictsOfMappingsAreThoseOfTheirPorts(long seed) {
        Random random = new Random(seed);
        for (int round = 0; round < 300; round++) {
            DnatMapping a = randomMapping(random);
            DnatMapping b = randomMapping(random);

            assertThat(a.conflictsWith(b))
                    .as("%s with %s", a, b)
                    .isEqualTo(conflictPortByPort(a, b))
                    .isEqualTo(b.conflictsWith(a));
        }
    }

    private static DnatMapping randomMapping(Random random) {
        Set<UUID> pops = new HashSet<>();
        pops.add(random.nextBoolean() ? POP_1.id() : POP_2.id());
        pops.add(random.nextBoolean() ? POP_1.id() : POP_2.id());
        TransportProtocol protocol = random.nextInt(4) == 0 ? UDP : TCP;
        return new DnatMapping(
                id(random.nextInt(3)),
                protocol,
                InetAddress.ofLiteral("10.0.0." + (1 + random.nextInt(2))),
                1 + random.nextInt(8),
                1 + random.nextInt(5),
                InetAddress.ofLiteral("203.0.113." + (1 + random.nextInt(2))),
                1 + random.nextInt(8),
                pops);
    }

    private static boolean conflictPortByPort(DnatMapping a, DnatMapping b) {
        Map<List<Object>, List<Object>> meanings = new HashMap<>();
        boolean conflict = false;
        for (DnatMapping mapping : List.of(a, b)) {
            for (UUID pop : mapping.popIds()) {
                for (int i = 0; i < mapping.ports(); i++) {
                    List<Object> reply =
                            List.of(pop, mapping.protocol(), mapping.memberAddress(), mapping.firstMemberPort() + i);
                    List<Object> meaning = List.of(mapping.vipAddress(), mapping.firstVipPort() + i);
                    List<Object> before = meanings.putIfAbsent(reply, meaning);
                    conflict |= before != null && !before.equals(meaning);
                }
            }
        }
        return conflict;
    }

    @Test
    void onlyUsedFeaturesAreRequired() {
        LoadBalancerTree plain = tree(
                EVERYWHERE,
                List.of(listener(31, TCP, 80, 80, 41)),
                List.of(pool(41, DNAT, member(51, "10.0.0.1", fixed(8080), POP_1))));
        LoadBalancerTree rich = tree(
                EVERYWHERE,
                List.of(listener(31, TCP, 80, 99, 41)),
                List.of(pool(41, SNAT, member(51, "2001:db8::1", KEEP), member(52, "10.0.0.1", KEEP))));

        assertThat(compiled(input(plain, vip(21, "203.0.113.10"))).getRequiredFeaturesList())
                .containsExactly("dnat", "maglev", "port_mapping");
        assertThat(compiled(input(rich, vip(21, "203.0.113.10"))).getRequiredFeaturesList())
                .containsExactly("ipv6", "maglev", "port_ranges", "snat");
    }

    private LoadBalancerConfig compiled(CompileInput input) {
        return switch (compiler.compile(input)) {
            case CompileResult.Compiled compiled -> compiled.config();
            case CompileResult.Refused refused -> throw new AssertionError(refused.faults());
        };
    }

    private static LoadBalancerTree read(String name) throws IOException {
        return JsonMapper.builder().build().readValue(Files.readString(GOLDEN.resolve(name)), LoadBalancerTree.class);
    }
}
