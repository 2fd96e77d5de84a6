// SPDX-License-Identifier: Apache-2.0
package dev.weir.provisioner.publish;

import com.google.protobuf.ByteString;
import dev.weir.compiler.ResourceId;
import dev.weir.messages.v1.Bgp;
import dev.weir.messages.v1.BgpPeer;
import dev.weir.messages.v1.BgpPeerRole;
import dev.weir.messages.v1.NodeConfig;
import dev.weir.messages.v1.PopConfig;
import dev.weir.messages.v1.PopsRecord;
import dev.weir.messages.v1.Prefix;
import dev.weir.messages.v1.Route;
import dev.weir.provisioner.lease.Lease;
import dev.weir.provisioner.outbox.OutboxKind;
import dev.weir.provisioner.outbox.OutboxStore;
import dev.weir.provisioner.publish.RecordStore.PublishedPop;
import dev.weir.provisioner.publish.SpecStore.NodeSpec;
import dev.weir.provisioner.publish.SpecStore.PopSpec;
import java.net.InetAddress;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Publishes PoPs and nodes in weir.pops.v1, and lets nodes into the topics. */
final class PopsPublisher extends PartitionPublisher {
    private final PublisherTools tools;
    private static final Duration BURY_EACH = Duration.ofMinutes(1);

    private final SpecStore specs;
    private final RecordStore records;
    private final OutboxStore outbox;
    private final Clock clock;

    private long buriedAt = System.nanoTime();

    PopsPublisher(
            Lease lease, PublisherTools tools, SpecStore specs, RecordStore records, OutboxStore outbox, Clock clock) {
        super(lease, tools);
        this.tools = tools;
        this.specs = specs;
        this.records = records;
        this.outbox = outbox;
        this.clock = clock;
    }

    /** What a key is to be: its content without order and time. */
    private record Wanted(
            UUID key, String kind, String logKey, long generation, byte[] content, PopsRecord.Builder body) {}

    @Override
    List<Outgoing> prepare(List<UUID> keys) {
        Map<UUID, List<OutboxStore.Claimed>> claimed = outbox.claim(keys).stream()
                .filter(row -> row.kind() == OutboxKind.POP || row.kind() == OutboxKind.NODE)
                .collect(Collectors.groupingBy(OutboxStore.Claimed::key));
        Map<UUID, PopSpec> pops = specs.pops(keys);
        Map<UUID, NodeSpec> nodes = specs.nodes(keys);
        Map<UUID, PublishedPop> published = records.publishedPops();
        tools.topics()
                .admit(nodes.keySet().stream().map(ResourceId.NODE::format).toList());
        // Also one that was never published: it may have been let in for its certificate.
        tools.topics()
                .expel(keys.stream()
                        .filter(key -> !nodes.containsKey(key) && !pops.containsKey(key))
                        .map(ResourceId.NODE::format)
                        .toList());
        long epoch = records.epoch();
        List<Outgoing> outgoing = new ArrayList<>();
        List<UUID> needless = new ArrayList<>();
        boolean placementsMayChange = false;
        for (UUID key : new HashSet<>(keys)) {
            List<UUID> rowIds = claimed.getOrDefault(key, List.of()).stream()
                    .map(OutboxStore.Claimed::id)
                    .toList();
            PublishedPop newest = published.get(key);
            Wanted wanted = wanted(key, pops.get(key), nodes.get(key), newest);
            if (wanted == null || isSame(wanted, newest, epoch)) {
                needless.addAll(rowIds);
                continue;
            }
            placementsMayChange |= !nodes.containsKey(key);
            outgoing.add(outgoing(wanted, epoch, rowIds));
        }
        if (placementsMayChange) {
            outbox.addAllLoadBalancers();
        }
        outbox.done(needless);
        return outgoing;
    }

    private static boolean isSame(Wanted wanted, @Nullable PublishedPop newest, long epoch) {
        return newest != null
                && newest.kind().equals(wanted.kind())
                && newest.epoch() == epoch
                && newest.logOffset() != null
                && Arrays.equals(newest.contentSha256(), Digest.sha256(wanted.content()));
    }

    private @Nullable Wanted wanted(
            UUID key, @Nullable PopSpec pop, @Nullable NodeSpec node, @Nullable PublishedPop newest) {
        if (pop != null) {
            PopConfig config = config(pop);
            return new Wanted(
                    key,
                    "pop",
                    ResourceId.POP.format(key),
                    pop.generation(),
                    config.toByteArray(),
                    PopsRecord.newBuilder().setPop(config));
        }
        if (node != null) {
            NodeConfig config = config(node);
            return new Wanted(
                    key,
                    "node",
                    ResourceId.NODE.format(key),
                    node.generation(),
                    config.toByteArray(),
                    PopsRecord.newBuilder().setNode(config));
        }
        if (newest == null || newest.kind().equals("deleted")) {
            return null;
        }
        boolean wasNode = newest.kind().equals("node");
        return new Wanted(
                key,
                "deleted",
                (wasNode ? ResourceId.NODE : ResourceId.POP).format(key),
                newest.generation(),
                new byte[0],
                PopsRecord.newBuilder().setDeleted(true));
    }

    private Outgoing outgoing(Wanted wanted, long epoch, List<UUID> rowIds) {
        long sequence = records.nextSequence(wanted.logKey());
        records.putPop(new PublishedPop(
                wanted.key(),
                wanted.kind(),
                epoch,
                sequence,
                null,
                wanted.generation(),
                Digest.sha256(wanted.content())));
        byte[] value = wanted.body()
                .setEpoch(epoch)
                .setSequence(sequence)
                .setPublishedAtUs(ChronoUnit.MICROS.between(Instant.EPOCH, clock.instant()))
                .build()
                .toByteArray();
        return new Outgoing(
                wanted.logKey(), value, epoch, sequence, !wanted.kind().equals("deleted"), offset -> {
                    records.confirmPop(wanted.key(), epoch, sequence, offset);
                    outbox.done(rowIds);
                });
    }

    private static PopConfig config(PopSpec pop) {
        // Sorted, so that equal PoPs have equal bytes.
        return PopConfig.newBuilder()
                .setPopId(ResourceId.POP.format(pop.id()))
                .setName(pop.name())
                .putAllLabels(new TreeMap<>(pop.labels()))
                .setDrained(pop.drained())
                .build();
    }

    private static NodeConfig config(NodeSpec node) {
        NodeConfig.Builder config = NodeConfig.newBuilder()
                .setNodeId(ResourceId.NODE.format(node.id()))
                .setPopId(ResourceId.POP.format(node.popId()))
                .setName(node.name())
                .setDrained(node.drained())
                .setDataAddress(bytes(node.dataAddress()))
                .setDataPrefixLength(node.dataPrefixLength())
                .setMtu(node.mtu())
                .setGeneration(node.generation());
        InetAddress v6 = node.dataAddressV6();
        if (v6 != null) {
            config.setDataAddressV6(bytes(v6)).setDataPrefixLengthV6(node.dataPrefixLengthV6());
        }
        node.tunnelSourcePrefixes().forEach(prefix -> config.addTunnelSourcePrefixes(prefix(prefix)));
        node.routes()
                .forEach(route -> config.addRoutes(
                        Route.newBuilder().setPrefix(prefix(route.prefix())).setNextHop(bytes(route.nextHop()))));
        node.snatRanges().forEach(range -> config.addSnatRanges(prefix(range)));
        Bgp.Builder bgp = Bgp.newBuilder().setLocalAsn((int) node.bgpLocalAsn()).setRouterId(bytes(node.bgpRouterId()));
        node.bgpPeers()
                .forEach(peer -> bgp.addPeers(BgpPeer.newBuilder()
                        .setName(peer.name())
                        .setAddress(bytes(peer.address()))
                        .setAsn((int) peer.asn())
                        .setRole(
                                switch (peer.role()) {
                                    case "upstream" -> BgpPeerRole.BGP_PEER_ROLE_UPSTREAM;
                                    case "member_side" -> BgpPeerRole.BGP_PEER_ROLE_MEMBER_SIDE;
                                    default ->
                                        throw new IllegalStateException("unknown role of a BGP peer " + peer.role());
                                })));
        return config.setBgp(bgp).build();
    }

    private static Prefix prefix(String cidr) {
        int slash = cidr.indexOf('/');
        return Prefix.newBuilder()
                .setAddress(bytes(InetAddress.ofLiteral(cidr.substring(0, slash))))
                .setLength(Integer.parseInt(cidr.substring(slash + 1)))
                .build();
    }

    private static ByteString bytes(InetAddress address) {
        return ByteString.copyFrom(address.getAddress());
    }

    @Override
    void published(List<UUID> keys) {
        // Nobody waits for a PoP's record by generation.
    }

    @Override
    void reconcile() {
        // Also when Kafka lost its rules: a node that is shut out could not even say so.
        tools.topics()
                .admit(specs.liveNodes().stream().map(ResourceId.NODE::format).toList());
        for (PublishedPop pop : records.publishedPops().values()) {
            String popKey = ResourceId.POP.format(pop.key());
            String nodeKey = ResourceId.NODE.format(pop.key());
            LogEntry entry = entries.containsKey(popKey) ? entries.get(popKey) : entries.get(nodeKey);
            if (entry != null && entry.epoch() == pop.epoch() && entry.sequence() == pop.sequence()) {
                records.confirmPop(pop.key(), pop.epoch(), pop.sequence(), entry.offset());
            } else {
                records.popLost(pop.key());
                offer(pop.key());
            }
        }
    }

    @Override
    void housekeep() {
        if (System.nanoTime() - buriedAt < BURY_EACH.toNanos()) {
            return;
        }
        buriedAt = System.nanoTime();
        send(() -> records.longGonePops().stream().map(this::tombstone).toList());
    }

    // Whether it was a PoP or a node shows in the log alone.
    private Outgoing tombstone(RecordStore.GonePop gone) {
        String popKey = ResourceId.POP.format(gone.key());
        String key = entries.containsKey(popKey) ? popKey : ResourceId.NODE.format(gone.key());
        return new Outgoing(key, null, gone.epoch(), gone.sequence(), false, offset -> records.forgetPop(gone.key()));
    }
}
