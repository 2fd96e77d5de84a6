// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.pop;

import dev.weir.api.access.Access;
import dev.weir.api.web.DryRun;
import dev.weir.api.web.ETags;
import dev.weir.api.web.FieldFault;
import dev.weir.api.web.IdempotentCalls;
import dev.weir.api.web.Ids;
import dev.weir.api.web.Pages;
import dev.weir.api.web.ProblemCode;
import dev.weir.api.web.ProblemException;
import dev.weir.api.web.Times;
import dev.weir.api.web.Trace;
import dev.weir.compiler.ResourceId;
import dev.weir.db.outbox.Outbox;
import dev.weir.db.pop.FleetRows;
import dev.weir.db.pop.PopRepository;
import dev.weir.rest.v1.PopsApi;
import dev.weir.rest.v1.model.Coordinates;
import dev.weir.rest.v1.model.Pop;
import dev.weir.rest.v1.model.PopCreate;
import dev.weir.rest.v1.model.PopPage;
import dev.weir.rest.v1.model.PopUpdate;
import java.net.URI;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.data.domain.Limit;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.RestController;

@RestController
final class PopController implements PopsApi {
    private final Access access;
    private final IdempotentCalls idempotent;
    private final PopRepository pops;
    private final FleetRows rows;
    private final Outbox outbox;
    private final Ids ids;
    private final Clock clock;

    PopController(
            Access access,
            IdempotentCalls idempotent,
            PopRepository pops,
            FleetRows rows,
            Outbox outbox,
            Ids ids,
            Clock clock) {
        this.access = access;
        this.idempotent = idempotent;
        this.pops = pops;
        this.rows = rows;
        this.outbox = outbox;
        this.ids = ids;
        this.clock = clock;
    }

    @Override
    public ResponseEntity<PopPage> listPops(Integer limit, @Nullable String cursor, @Nullable String name) {
        return access.readShared(any -> page(limit, cursor, name), any -> page(limit, cursor, name));
    }

    private ResponseEntity<PopPage> page(int limit, @Nullable String cursor, @Nullable String name) {
        Pages<dev.weir.db.pop.Pop> page = Pages.of(
                pops.page(Pages.afterId(cursor), name, Limit.of(Pages.rows(limit))),
                limit,
                pop -> pop.id().toString());
        return ResponseEntity.ok(new PopPage()
                .items(page.items().stream().map(PopController::rest).toList())
                .nextCursor(page.nextCursor()));
    }

    @Override
    public ResponseEntity<Pop> getPop(String popId) {
        UUID id = Ids.path(ResourceId.POP, popId);
        return access.readShared(any -> get(id), any -> get(id));
    }

    private ResponseEntity<Pop> get(UUID id) {
        return pops.findByIdAndDeletedAtIsNull(id)
                .map(pop -> ResponseEntity.ok().eTag(ETags.of(pop.generation())).body(rest(pop)))
                .orElseThrow(ProblemException::notFound);
    }

    @Override
    public ResponseEntity<Pop> createPop(PopCreate body, @Nullable String idempotencyKey, Boolean validateOnly) {
        if (validateOnly) {
            return DryRun.run(() -> access.writeFleet(
                    "createPop",
                    fleet -> DryRun.end(ResponseEntity.ok(create(body).getBody()))));
        }
        return access.writeFleet(
                "createPop",
                fleet -> idempotent.run(null, fleet.subject(), idempotencyKey, Pop.class, () -> create(body)));
    }

    private ResponseEntity<Pop> create(PopCreate body) {
        Coordinates coordinates = body.getCoordinates();
        dev.weir.db.pop.Pop pop = pops.save(new dev.weir.db.pop.Pop(
                ids.next(),
                body.getName(),
                body.getLabels() == null ? Map.of() : body.getLabels(),
                coordinates == null ? null : coordinates.getLatitude(),
                coordinates == null ? null : coordinates.getLongitude(),
                Times.stored(clock.instant())));
        outbox.changed(Outbox.Kind.POP, pop.id(), null, pop.generation(), Trace.traceparent());
        Pop answer = rest(pop);
        return ResponseEntity.created(URI.create("/v1/pops/" + answer.getId())).body(answer);
    }

    @Override
    public ResponseEntity<Pop> updatePop(String popId, PopUpdate body, @Nullable String ifMatch, Boolean validateOnly) {
        UUID id = Ids.path(ResourceId.POP, popId);
        return DryRun.run(() -> access.writeFleet("updatePop", fleet -> {
            dev.weir.db.pop.Pop pop = pops.lock(id).orElseThrow(ProblemException::notFound);
            ETags.check(ifMatch, pop.generation());
            Coordinates coordinates = body.getCoordinates();
            pop.update(
                    body.getName() == null ? pop.name() : body.getName(),
                    body.getLabels() == null ? pop.labels() : body.getLabels(),
                    coordinates == null ? pop.latitude() : coordinates.getLatitude(),
                    coordinates == null ? pop.longitude() : coordinates.getLongitude(),
                    body.getDrained() == null ? pop.drained() : body.getDrained(),
                    Times.stored(clock.instant()));
            pops.flush();
            outbox.changed(Outbox.Kind.POP, id, null, pop.generation(), Trace.traceparent());
            ResponseEntity<Pop> answer =
                    ResponseEntity.ok().eTag(ETags.of(pop.generation())).body(rest(pop));
            return validateOnly ? DryRun.end(answer) : answer;
        }));
    }

    @Override
    public ResponseEntity<Void> deletePop(String popId, @Nullable String ifMatch) {
        UUID id = Ids.path(ResourceId.POP, popId);
        return access.writeFleet("deletePop", fleet -> {
            dev.weir.db.pop.Pop pop = pops.lock(id).orElseThrow(ProblemException::notFound);
            ETags.check(ifMatch, pop.generation());
            List<FieldFault> users = rows.usersOfPop(id).stream()
                    .map(user -> FieldFault.user(
                            user.kind(),
                            user.name(),
                            (user.kind().equals("node") ? ResourceId.NODE : ResourceId.LOAD_BALANCER)
                                    .format(user.id())))
                    .toList();
            if (!users.isEmpty()) {
                throw new ProblemException(
                        ProblemCode.RESOURCE_IN_USE, "Nodes are in the PoP, or load balancers name it.", users);
            }
            pop.delete(Times.stored(clock.instant()));
            pops.flush();
            outbox.changed(Outbox.Kind.POP, id, null, pop.generation(), Trace.traceparent());
            return ResponseEntity.noContent().build();
        });
    }

    private static Pop rest(dev.weir.db.pop.Pop pop) {
        Pop rest = new Pop()
                .id(ResourceId.POP.format(pop.id()))
                .name(pop.name())
                .labels(pop.labels())
                .drained(pop.drained())
                .generation(pop.generation())
                .createdAt(Times.of(pop.createdAt()));
        if (pop.latitude() != null && pop.longitude() != null) {
            rest.coordinates(new Coordinates().latitude(pop.latitude()).longitude(pop.longitude()));
        }
        return rest;
    }
}
