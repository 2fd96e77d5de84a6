// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.pop;

import dev.weir.api.access.Access;
import dev.weir.api.web.DryRun;
import dev.weir.api.web.ETags;
import dev.weir.api.web.FieldFault;
import dev.weir.api.web.IdempotentCalls;
import dev.weir.api.web.Ids;
import dev.weir.api.web.Networks;
import dev.weir.api.web.Pages;
import dev.weir.api.web.ProblemException;
import dev.weir.api.web.Times;
import dev.weir.api.web.Trace;
import dev.weir.compiler.ResourceId;
import dev.weir.db.outbox.Outbox;
import dev.weir.db.pop.EnrolmentRows;
import dev.weir.db.pop.FleetRows;
import dev.weir.db.pop.FleetRows.NodeState;
import dev.weir.db.pop.NodeRows;
import dev.weir.db.pop.PopRepository;
import dev.weir.rest.v1.NodesApi;
import dev.weir.rest.v1.model.BgpPeerRole;
import dev.weir.rest.v1.model.Node;
import dev.weir.rest.v1.model.NodeBgp;
import dev.weir.rest.v1.model.NodeBgpPeer;
import dev.weir.rest.v1.model.NodeCreate;
import dev.weir.rest.v1.model.NodePage;
import dev.weir.rest.v1.model.NodeRoute;
import dev.weir.rest.v1.model.NodeUpdate;
import java.net.Inet6Address;
import java.net.URI;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.RestController;

@RestController
final class NodeController implements NodesApi {
    private final Access access;
    private final IdempotentCalls idempotent;
    private final PopRepository pops;
    private final NodeRows nodes;
    private final FleetRows rows;
    private final EnrolmentRows enrolments;
    private final Outbox outbox;
    private final Ids ids;
    private final Clock clock;

    NodeController(
            Access access,
            IdempotentCalls idempotent,
            PopRepository pops,
            NodeRows nodes,
            FleetRows rows,
            EnrolmentRows enrolments,
            Outbox outbox,
            Ids ids,
            Clock clock) {
        this.access = access;
        this.idempotent = idempotent;
        this.pops = pops;
        this.nodes = nodes;
        this.rows = rows;
        this.enrolments = enrolments;
        this.outbox = outbox;
        this.ids = ids;
        this.clock = clock;
    }

    @Override
    public ResponseEntity<NodePage> listNodes(
            String popId, Integer limit, @Nullable String cursor, @Nullable String name) {
        UUID pop = Ids.path(ResourceId.POP, popId);
        return access.readFleet(fleet -> {
            requirePop(pop);
            Pages<dev.weir.db.pop.Node> page = Pages.of(
                    nodes.page(pop, Pages.afterId(cursor), name, Pages.rows(limit)),
                    limit,
                    node -> node.id().toString());
            return ResponseEntity.ok(new NodePage().items(rest(page.items())).nextCursor(page.nextCursor()));
        });
    }

    @Override
    public ResponseEntity<Node> getNode(String popId, String nodeId) {
        UUID pop = Ids.path(ResourceId.POP, popId);
        UUID id = Ids.path(ResourceId.NODE, nodeId);
        return access.readFleet(fleet -> answer(pop, id));
    }

    private ResponseEntity<Node> answer(UUID popId, UUID id) {
        return nodes.find(popId, id)
                .map(node -> ResponseEntity.ok()
                        .eTag(ETags.of(node.generation()))
                        .body(rest(List.of(node)).getFirst()))
                .orElseThrow(ProblemException::notFound);
    }

    private List<Node> rest(List<dev.weir.db.pop.Node> found) {
        Map<UUID, NodeState> states =
                rows.states(found.stream().map(dev.weir.db.pop.Node::id).toList());
        return found.stream()
                .map(node -> {
                    NodeState state = Objects.requireNonNull(states.get(node.id()));
                    return rest(node).labels(state.labels()).fenced(state.fenced());
                })
                .toList();
    }

    @Override
    public ResponseEntity<Node> updateNode(
            String popId, String nodeId, NodeUpdate body, @Nullable String ifMatch, Boolean validateOnly) {
        UUID pop = Ids.path(ResourceId.POP, popId);
        UUID id = Ids.path(ResourceId.NODE, nodeId);
        return DryRun.run(() -> access.writeFleet("updateNode", fleet -> {
            long generation = rows.lockNode(pop, id).orElseThrow(ProblemException::notFound);
            ETags.check(ifMatch, generation);
            rows.updateNode(id, body.getName(), body.getLabels(), body.getDrained(), body.getFenced());
            outbox.changed(Outbox.Kind.NODE, id, null, generation + 1, Trace.traceparent());
            ResponseEntity<Node> answer = answer(pop, id);
            return validateOnly ? DryRun.end(answer) : answer;
        }));
    }

    @Override
    public ResponseEntity<Void> deleteNode(String popId, String nodeId, @Nullable String ifMatch) {
        UUID pop = Ids.path(ResourceId.POP, popId);
        UUID id = Ids.path(ResourceId.NODE, nodeId);
        return access.writeFleet("deleteNode", fleet -> {
            long generation = rows.lockNode(pop, id).orElseThrow(ProblemException::notFound);
            ETags.check(ifMatch, generation);
            rows.deleteNode(id);
            enrolments.revoke(id);
            outbox.changed(Outbox.Kind.NODE, id, null, generation + 1, Trace.traceparent());
            return ResponseEntity.noContent().build();
        });
    }

    @Override
    public ResponseEntity<Node> createNode(
            String popId, NodeCreate body, @Nullable String idempotencyKey, Boolean validateOnly) {
        UUID pop = Ids.path(ResourceId.POP, popId);
        if (validateOnly) {
            return DryRun.run(() -> access.writeFleet("createNode", fleet -> {
                requirePop(pop);
                return DryRun.end(ResponseEntity.ok(create(pop, body).getBody()));
            }));
        }
        return access.writeFleet(
                "createNode",
                fleet -> idempotent.run(null, fleet.subject(), idempotencyKey, Node.class, () -> {
                    requirePop(pop);
                    return create(pop, body);
                }));
    }

    private void requirePop(UUID id) {
        if (pops.findByIdAndDeletedAtIsNull(id).isEmpty()) {
            throw ProblemException.notFound();
        }
    }

    private ResponseEntity<Node> create(UUID popId, NodeCreate body) {
        List<FieldFault> faults = faults(body);
        if (!faults.isEmpty()) {
            throw ProblemException.refused(faults);
        }
        dev.weir.db.pop.Node node = new dev.weir.db.pop.Node(
                ids.next(),
                popId,
                body.getName(),
                false,
                body.getDataAddress(),
                body.getDataPrefixLength(),
                body.getDataAddressV6(),
                body.getDataPrefixLengthV6(),
                orEmpty(body.getRoutes()).stream()
                        .map(route -> new dev.weir.db.pop.Node.Route(route.getPrefix(), route.getNextHop()))
                        .toList(),
                orEmpty(body.getSnatRanges()),
                orEmpty(body.getTunnelSourcePrefixes()),
                body.getBgp().getLocalAsn(),
                body.getBgp().getRouterId(),
                body.getBgp().getPeers().stream()
                        .map(peer -> new dev.weir.db.pop.Node.BgpPeer(
                                peer.getName(),
                                peer.getAddress(),
                                peer.getAsn(),
                                peer.getRole().getValue()))
                        .toList(),
                Objects.requireNonNullElse(body.getMtu(), 1500),
                1,
                Times.stored(clock.instant()));
        nodes.insert(node);
        outbox.changed(Outbox.Kind.NODE, node.id(), null, node.generation(), Trace.traceparent());
        Node answer = rest(node);
        return ResponseEntity.created(URI.create("/v1/pops/%s/nodes/%s".formatted(answer.getPopId(), answer.getId())))
                .body(answer);
    }

    private static List<FieldFault> faults(NodeCreate body) {
        List<FieldFault> faults = new ArrayList<>();
        address(body.getDataAddress(), "/data_address", faults);
        String v6 = body.getDataAddressV6();
        if (v6 != null && !(Networks.address(v6).orElse(null) instanceof Inet6Address)) {
            faults.add(new FieldFault("/data_address_v6", "ADDRESS_INVALID", "must be an IPv6 address"));
        }
        if ((v6 == null) != (body.getDataPrefixLengthV6() == null)) {
            faults.add(new FieldFault(
                    "/data_prefix_length_v6", "REQUIRED", "goes together with data_address_v6: give both or none"));
        }
        List<NodeRoute> routes = orEmpty(body.getRoutes());
        for (int i = 0; i < routes.size(); i++) {
            network(routes.get(i).getPrefix(), "/routes/%d/prefix".formatted(i), faults);
            nextHop(routes.get(i), "/routes/" + i, faults);
        }
        List<String> ranges = orEmpty(body.getSnatRanges());
        for (int i = 0; i < ranges.size(); i++) {
            network(ranges.get(i), "/snat_ranges/" + i, faults);
        }
        List<String> sources = orEmpty(body.getTunnelSourcePrefixes());
        for (int i = 0; i < sources.size(); i++) {
            network(sources.get(i), "/tunnel_source_prefixes/" + i, faults);
        }
        address(body.getBgp().getRouterId(), "/bgp/router_id", faults);
        List<NodeBgpPeer> peers = body.getBgp().getPeers();
        for (int i = 0; i < peers.size(); i++) {
            address(peers.get(i).getAddress(), "/bgp/peers/%d/address".formatted(i), faults);
        }
        return faults;
    }

    private static void address(String text, String pointer, List<FieldFault> faults) {
        if (Networks.ipv4(text).isEmpty()) {
            faults.add(new FieldFault(pointer, "ADDRESS_INVALID", "must be an IPv4 address"));
        }
    }

    private static void nextHop(NodeRoute route, String pointer, List<FieldFault> faults) {
        boolean sameFamily = Networks.address(route.getNextHop())
                .filter(hop ->
                        (hop instanceof Inet6Address) == route.getPrefix().contains(":"))
                .isPresent();
        if (!sameFamily) {
            faults.add(new FieldFault(
                    pointer + "/next_hop", "ADDRESS_INVALID", "must be an address of the prefix's family"));
        }
    }

    private static void network(String text, String pointer, List<FieldFault> faults) {
        if (Networks.network(text).isEmpty()) {
            faults.add(new FieldFault(
                    pointer, "CIDR_INVALID", "must be a network without host bits, such as 10.1.20.0/24"));
        }
    }

    private static <T> List<T> orEmpty(@Nullable List<T> list) {
        return list == null ? List.of() : list;
    }

    private static Node rest(dev.weir.db.pop.Node node) {
        return new Node()
                .id(ResourceId.NODE.format(node.id()))
                .popId(ResourceId.POP.format(node.popId()))
                .name(node.name())
                .drained(node.drained())
                .fenced(false)
                .dataAddress(node.dataAddress())
                .dataPrefixLength(node.dataPrefixLength())
                .dataAddressV6(node.dataAddressV6())
                .dataPrefixLengthV6(node.dataPrefixLengthV6())
                .routes(node.routes().stream()
                        .map(route -> new NodeRoute().prefix(route.prefix()).nextHop(route.nextHop()))
                        .toList())
                .snatRanges(node.snatRanges())
                .tunnelSourcePrefixes(node.tunnelSourcePrefixes())
                .bgp(new NodeBgp()
                        .localAsn(node.bgpLocalAsn())
                        .routerId(node.bgpRouterId())
                        .peers(node.bgpPeers().stream()
                                .map(peer -> new NodeBgpPeer()
                                        .name(peer.name())
                                        .address(peer.address())
                                        .asn(peer.asn())
                                        .role(BgpPeerRole.fromValue(peer.role())))
                                .toList()))
                .mtu(node.mtu())
                .generation(node.generation())
                .createdAt(Times.of(node.createdAt()));
    }
}
