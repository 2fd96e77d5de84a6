// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.drain;

import dev.weir.api.access.Access;
import dev.weir.api.access.ProjectAccess;
import dev.weir.api.loadbalancer.LoadBalancers;
import dev.weir.api.loadbalancer.LoadBalancers.Spec;
import dev.weir.api.web.FieldFault;
import dev.weir.api.web.IdempotentCalls;
import dev.weir.api.web.Ids;
import dev.weir.api.web.ProblemException;
import dev.weir.compiler.LoadBalancerTree;
import dev.weir.compiler.LoadBalancerTree.MemberSpec;
import dev.weir.compiler.ResourceId;
import dev.weir.db.overlay.OverlayRows;
import dev.weir.db.overlay.OverlayRows.Entry;
import dev.weir.db.project.ProjectRole;
import dev.weir.db.rollout.MemberStatusRows;
import dev.weir.rest.v1.DrainsApi;
import dev.weir.rest.v1.model.Drain;
import dev.weir.rest.v1.model.DrainSpec;
import dev.weir.rest.v1.model.ShiftEnd;
import dev.weir.rest.v1.model.ShiftList;
import dev.weir.rest.v1.model.ShiftSpec;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.RestController;

/** Drains of members and shifts away from PoPs: beside the spec, so no generation and no revision. */
@RestController
final class DrainController implements DrainsApi {
    private final Access access;
    private final IdempotentCalls idempotent;
    private final LoadBalancers loadBalancers;
    private final OverlayRows overlay;
    private final MemberStatusRows statuses;
    private final Clock clock;

    DrainController(
            Access access,
            IdempotentCalls idempotent,
            LoadBalancers loadBalancers,
            OverlayRows overlay,
            MemberStatusRows statuses,
            Clock clock) {
        this.access = access;
        this.idempotent = idempotent;
        this.loadBalancers = loadBalancers;
        this.overlay = overlay;
        this.statuses = statuses;
        this.clock = clock;
    }

    @Override
    public ResponseEntity<Drain> drainMember(
            String projectId,
            String loadBalancerId,
            String poolId,
            String memberId,
            DrainSpec body,
            @Nullable String idempotencyKey) {
        UUID id = Ids.path(ResourceId.LOAD_BALANCER, loadBalancerId);
        UUID pool = Ids.path(ResourceId.POOL, poolId);
        UUID member = Ids.path(ResourceId.MEMBER, memberId);
        return access.write(
                projectId,
                ProjectRole.MAINTAINER,
                "drainMember",
                in -> idempotent.run(
                        in.projectId(),
                        in.subject(),
                        idempotencyKey,
                        Drain.class,
                        () -> drain(in, id, pool, member, body)));
    }

    private ResponseEntity<Drain> drain(ProjectAccess in, UUID id, UUID pool, UUID member, DrainSpec body) {
        Spec spec = loadBalancers.lock(in.projectId(), id);
        requireMember(spec.tree(), pool, member);
        Instant end = Expiry.of(body.getUntil(), body.getDurationS(), clock.instant());
        overlay.put(in.projectId(), id, member, null, end);
        changed(in, id);
        Drain drain = inForce(in, spec).drains().stream()
                .filter(one -> one.getMemberId().equals(ResourceId.MEMBER.format(member)))
                .findFirst()
                .orElseThrow();
        return ResponseEntity.ok(drain);
    }

    @Override
    public ResponseEntity<Void> undrainMember(
            String projectId, String loadBalancerId, String poolId, String memberId, @Nullable String idempotencyKey) {
        UUID id = Ids.path(ResourceId.LOAD_BALANCER, loadBalancerId);
        UUID pool = Ids.path(ResourceId.POOL, poolId);
        UUID member = Ids.path(ResourceId.MEMBER, memberId);
        return access.write(
                projectId,
                ProjectRole.MAINTAINER,
                "undrainMember",
                in -> idempotent.run(
                        in.projectId(), in.subject(), idempotencyKey, Void.class, () -> undrain(in, id, pool, member)));
    }

    private ResponseEntity<Void> undrain(ProjectAccess in, UUID id, UUID pool, UUID member) {
        requireMember(loadBalancers.lock(in.projectId(), id).tree(), pool, member);
        if (overlay.end(in.projectId(), id, member, null)) {
            changed(in, id);
        }
        return ResponseEntity.noContent().build();
    }

    @Override
    public ResponseEntity<ShiftList> shiftLoadBalancer(
            String projectId, String loadBalancerId, ShiftSpec body, @Nullable String idempotencyKey) {
        UUID id = Ids.path(ResourceId.LOAD_BALANCER, loadBalancerId);
        return access.write(
                projectId,
                ProjectRole.MAINTAINER,
                "shiftLoadBalancer",
                in -> idempotent.run(
                        in.projectId(), in.subject(), idempotencyKey, ShiftList.class, () -> shift(in, id, body)));
    }

    private ResponseEntity<ShiftList> shift(ProjectAccess in, UUID id, ShiftSpec body) {
        Spec spec = loadBalancers.lock(in.projectId(), id);
        List<UUID> away = placedPops(spec.tree(), body.getPopIds());
        Instant end = Expiry.of(body.getUntil(), body.getDurationS(), clock.instant());
        requirePopLeft(in, spec, away);
        away.forEach(pop -> overlay.put(in.projectId(), id, null, pop, end));
        changed(in, id);
        return shifts(in, spec);
    }

    @Override
    public ResponseEntity<ShiftList> unshiftLoadBalancer(
            String projectId, String loadBalancerId, ShiftEnd body, @Nullable String idempotencyKey) {
        UUID id = Ids.path(ResourceId.LOAD_BALANCER, loadBalancerId);
        return access.write(
                projectId,
                ProjectRole.MAINTAINER,
                "unshiftLoadBalancer",
                in -> idempotent.run(
                        in.projectId(), in.subject(), idempotencyKey, ShiftList.class, () -> unshift(in, id, body)));
    }

    private ResponseEntity<ShiftList> unshift(ProjectAccess in, UUID id, ShiftEnd body) {
        Spec spec = loadBalancers.lock(in.projectId(), id);
        boolean ended = false;
        for (String popId : body.getPopIds()) {
            // Also of a PoP that is no longer placed.
            ended |=
                    ResourceId.POP.matches(popId) && overlay.end(in.projectId(), id, null, ResourceId.POP.parse(popId));
        }
        if (ended) {
            changed(in, id);
        }
        return shifts(in, spec);
    }

    private static void requireMember(LoadBalancerTree tree, UUID pool, UUID member) {
        boolean there = tree.pools().stream()
                .filter(one -> one.id().equals(pool))
                .flatMap(one -> one.members().stream())
                .map(MemberSpec::id)
                .anyMatch(member::equals);
        if (!there) {
            throw ProblemException.notFound();
        }
    }

    private List<UUID> placedPops(LoadBalancerTree tree, Collection<String> popIds) {
        Set<UUID> placed = loadBalancers.placed(tree).keySet();
        List<UUID> pops = new ArrayList<>();
        List<FieldFault> faults = new ArrayList<>();
        int i = 0;
        for (String text : popIds) {
            if (ResourceId.POP.matches(text) && placed.contains(ResourceId.POP.parse(text))) {
                pops.add(ResourceId.POP.parse(text));
            } else {
                faults.add(new FieldFault("/pop_ids/" + i, "POP_NOT_PLACED", "The load balancer has no such PoP."));
            }
            i++;
        }
        if (!faults.isEmpty()) {
            throw ProblemException.refused(faults);
        }
        return pops;
    }

    /** Traffic that is taken away must have somewhere to go; switching off is what `enabled` is for. */
    private void requirePopLeft(ProjectAccess in, Spec spec, Collection<UUID> away) {
        Set<UUID> shifted = Stream.concat(
                        away.stream(),
                        overlay.of(in.projectId(), spec.tree().loadBalancerId()).stream()
                                .flatMap(entry -> Stream.ofNullable(entry.popId())))
                .collect(Collectors.toSet());
        if (shifted.containsAll(loadBalancers.placed(spec.tree()).keySet())) {
            throw ProblemException.refused(List.of(new FieldFault(
                    "/pop_ids", "NO_POP_LEFT", "No other PoP of the placement is left to take traffic.")));
        }
    }

    private void changed(ProjectAccess in, UUID id) {
        overlay.raiseSequence(in.projectId(), id);
        loadBalancers.publishAgain(in.projectId(), id);
    }

    private OverlayView inForce(ProjectAccess in, Spec spec) {
        UUID id = spec.tree().loadBalancerId();
        List<Entry> entries = overlay.of(in.projectId(), id);
        return new OverlayView(spec.tree(), entries, statuses.of(in.projectId(), id));
    }

    private ResponseEntity<ShiftList> shifts(ProjectAccess in, Spec spec) {
        return ResponseEntity.ok(new ShiftList().shifts(inForce(in, spec).shifts()));
    }
}
