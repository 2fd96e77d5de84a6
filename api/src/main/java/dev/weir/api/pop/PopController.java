// SPDX-License-Identifier: Apache-2.0
package dev.weir.api.pop;

import dev.weir.api.access.Access;
import dev.weir.api.web.IdempotentCalls;
import dev.weir.api.web.Ids;
import dev.weir.api.web.Pages;
import dev.weir.api.web.ProblemException;
import dev.weir.api.web.Times;
import dev.weir.api.web.Trace;
import dev.weir.compiler.ResourceId;
import dev.weir.db.outbox.Outbox;
import dev.weir.db.pop.PopRepository;
import dev.weir.rest.v1.PopsApi;
import dev.weir.rest.v1.model.Coordinates;
import dev.weir.rest.v1.model.Pop;
import dev.weir.rest.v1.model.PopCreate;
import dev.weir.rest.v1.model.PopPage;
import java.net.URI;
import java.time.Clock;
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
    private final Outbox outbox;
    private final Ids ids;
    private final Clock clock;

    PopController(Access access, IdempotentCalls idempotent, PopRepository pops, Outbox outbox, Ids ids, Clock clock) {
        this.access = access;
        this.idempotent = idempotent;
        this.pops = pops;
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
                .map(pop -> ResponseEntity.ok(rest(pop)))
                .orElseThrow(ProblemException::notFound);
    }

    @Override
    public ResponseEntity<Pop> createPop(PopCreate body, @Nullable String idempotencyKey) {
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

    private static Pop rest(dev.weir.db.pop.Pop pop) {
        Pop rest = new Pop()
                .id(ResourceId.POP.format(pop.id()))
                .name(pop.name())
                .labels(pop.labels())
                .drained(pop.drained())
                .createdAt(Times.of(pop.createdAt()));
        if (pop.latitude() != null && pop.longitude() != null) {
            rest.coordinates(new Coordinates().latitude(pop.latitude()).longitude(pop.longitude()));
        }
        return rest;
    }
}
